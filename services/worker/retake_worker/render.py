"""A render part: the source is fetched, and each take becomes a file that is stored under the claim's own key."""

import asyncio
import hashlib
import shutil
import zlib
from pathlib import Path

from retake.blobs.bucket import Blobs
from retake.blobs.keys import Result
from retake.domain.work import Claim, Rendered, Take, Work
from retake_worker.scratch import download

_PIECE = 2**20


async def fetch_source(blobs: Blobs, work: Work, folder: Path) -> Path:
    place = folder / "source"
    await download(blobs, work, place)
    return place


async def render(take: Take, source: Path, folder: Path) -> Path:
    """Until takes differ, a take is a copy of its source."""
    place = folder / f"{take.index}.mp4"
    await asyncio.to_thread(shutil.copyfile, source, place)
    return place


async def store(blobs: Blobs, claimed: Claim, take: Take, file: Path) -> Rendered:
    """Puts the file under a key that no other claim writes, and tells its facts."""
    crc32, sha256 = await asyncio.to_thread(_sums, file)
    key = Result(str(claimed.job), str(claimed.video), take.index, claimed.number).key
    size = await blobs.put_file(key, file)
    return Rendered(index=take.index, key=key, size=size, crc32=crc32, sha256=sha256)


def _sums(file: Path) -> tuple[int, str]:
    crc32, sha256 = 0, hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            crc32 = zlib.crc32(piece, crc32)
            sha256.update(piece)
    return crc32, sha256.hexdigest()
