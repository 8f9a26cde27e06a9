"""Sources that no video needs any more: the row goes first, then the bytes, then their rows."""

from retake import logs
from retake.blobs.bucket import Blobs
from retake.disposal import sweep_sources
from retake.store.connect import Database
from retake.store.sources import unneeded_sources

log = logs.logger(__name__)

MOST = 1000


async def run_once(database: Database, blobs: Blobs, *, dry: bool = False) -> int:
    if not dry:
        return await sweep_sources(database, blobs, MOST)
    unneeded = await unneeded_sources(database, MOST)
    for source in unneeded:
        log.info("would delete a source that no video needs", source=str(source))
    return len(unneeded)
