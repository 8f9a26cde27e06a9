"""Room for what is to come: what goes anyway goes now, then ended jobs go in turn, as few as it takes.

Their rows first, by rule 0, then their bytes: only then the ledger is less, and whoever waits for room is admitted by
it alone. When all of them would not be enough, none goes.
"""

import structlog

from retake.blobs.bucket import Blobs
from retake.disposal import purge_job, sweep_sources
from retake.domain.eviction import making_room
from retake.store.connect import Database
from retake.store.eviction import Outcome, evict, outlook
from retake.store.results import purgeable

log = structlog.stdlib.get_logger(__name__)

MOST = 100


async def make_room(database: Database, blobs: Blobs, *, cap: int, needed: int) -> bool:
    """False when all that may go would not be enough. Else there is more room, for whoever asks first: ask again."""
    target = cap - needed
    await _empty(database, blobs)
    now, ended = await outlook(database)
    if now.staying - sum(job.bytes for job in ended) > target:
        return False
    for job in making_room(ended, now.shares, now.staying - target):
        outcome = await evict(database, job.job, above=target)
        if outcome is Outcome.ENOUGH:
            break
        if outcome is Outcome.GONE:
            log.info("evicted to make room", job=str(job.job), bytes=job.bytes, needed=needed)
            await purge_job(database, blobs, job.job)
    await sweep_sources(database, blobs, MOST)
    return True


async def _empty(database: Database, blobs: Blobs) -> None:
    for job in await purgeable(database, MOST):
        await purge_job(database, blobs, job)
    await sweep_sources(database, blobs, MOST)
