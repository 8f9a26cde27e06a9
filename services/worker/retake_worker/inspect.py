"""An inspect part: the source is fetched and hashed, and the takes are planned."""

from pathlib import Path

from retake.blobs.bucket import Blobs
from retake.domain.work import Plan, Planned, Work
from retake_worker.scratch import download

COPY_SECONDS_PER_MIB = 0.05


async def inspect(blobs: Blobs, work: Work, folder: Path) -> Plan:
    """Until takes differ, each is a copy of its source: one frame, a recipe that says nothing but its index."""
    sha256 = await download(blobs, work, folder / "source")
    cost = work.size / 2**20 * COPY_SECONDS_PER_MIB
    variations = [
        Planned(index, {"version": 1, "index": index, "seed": work.seed}, work.size, cost)
        for index in range(1, work.variations + 1)
    ]
    return Plan(probe={"frames": 1, "size": work.size}, sha256=sha256, variations=variations)
