"""People who submit jobs over HTTP, and a worker's moves on them, without its work."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx

from api.conftest import form, rows
from api.wire import clip
from retake.domain import distinct
from retake.domain.distinct import Pair
from retake.domain.errors import CORRUPT
from retake.domain.timing import Timing
from retake.domain.work import RECIPE_VERSION, Claim, Plan, Planned, Rendered
from retake.store import parts
from retake.store.connect import Database

TIMING = Timing()
PROBE = {"frames": 100, "duration": 4.0, "width": 1280, "height": 720, "fps": "30000/1001"}


async def submit(client: httpx.AsyncClient, *names: str, **fields: str) -> dict[str, Any]:
    answer = await client.post("/api/jobs", **form(*((name, clip()) for name in names), **fields))
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def claim_next(database: Database, video: UUID | None = None) -> Claim:
    """The part that waits longest, of one video or of all."""
    [part] = await rows(
        database,
        "SELECT id FROM part WHERE state = 'queued' AND coalesce(video_id = %s, true) ORDER BY id LIMIT 1",
        video,
    )
    claimed = await parts.claim(database, part["id"], "worker", RECIPE_VERSION, TIMING)
    assert claimed is not None
    return claimed


async def inspect(database: Database, takes: int, thumb: str | None = None, near: Sequence[Pair] = ()) -> UUID:
    claimed = await claim_next(database)
    planned = [Planned(n, {"seed": n}, 1000, 1) for n in range(1, takes + 1)]
    plan = Plan(PROBE, "ab" * 32, planned, thumb, distinct.told(near, takes, measured=False))
    await parts.finish_inspect(database, claimed, plan, RECIPE_VERSION, TIMING)
    return claimed.video


def rendered(claim: Claim, index: int, thumb: str | None = None) -> Rendered:
    key = f"results/{claim.job}/{claim.video}/{index}.{claim.number}.mp4"
    return Rendered(index, key, 900, 1, "cd" * 32, duration=3.9, distance={"near": False}, thumb_key=thumb)


async def finish(database: Database, takes: int = 1) -> None:
    """The video that waits longest gets all its takes, with pictures."""
    claimed = await claim_next(database, await inspect(database, takes, "video.webp"))
    for index in range(1, takes + 1):
        await parts.finish_variation(database, claimed, rendered(claimed, index, f"{index}.webp"), TIMING)
    await parts.finish_part(database, claimed, TIMING)


async def fail(database: Database) -> None:
    """The video that waits longest is of no use."""
    await parts.fail_inspect(database, await claim_next(database), CORRUPT, TIMING)
