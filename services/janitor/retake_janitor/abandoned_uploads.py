"""What began to arrive and never became a job's: sources and their room are given up when their time is over; so are
chunks that lost their place, and the memory of uploads that were used or are gone."""

from retake import logs
from retake.blobs.bucket import Blobs
from retake.disposal import delete_garbage
from retake.store.connect import Database
from retake.store.uploads import abandoned, forget_uploads, sweep_abandoned, sweep_reservations

log = logs.logger(__name__)

MOST = 1000


async def run_once(database: Database, blobs: Blobs, *, dry: bool = False) -> int:
    """Counts the sources and the reservations that were given up."""
    if dry:
        return await _rehearse(database)
    given_up = 0
    for _ in range(MOST):
        keys = await sweep_abandoned(database)
        if keys is None:
            break
        given_up += bool(keys)
    await delete_garbage(database, blobs)
    given_up += await sweep_reservations(database)
    await forget_uploads(database)
    return given_up


async def _rehearse(database: Database) -> int:
    sources = await abandoned(database, MOST)
    for source in sources:
        log.info("would give up what never became a job's", source=str(source))
    return len(sources)
