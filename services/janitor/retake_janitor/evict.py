"""Above 85 % of the storage cap ended jobs go before their time, until no more than 75 % stays.

Never one that is being downloaded, kept, or at work again: that is asked once more in the transaction that takes it, as
is whether there still is no room. So janitors at once take no more than one alone.
"""

from retake import logs
from retake.domain.eviction import HIGH, LOW, making_room
from retake.store.connect import Database
from retake.store.eviction import Outcome, evict, outlook

log = logs.logger(__name__)


async def run_once(database: Database, cap: int | None, *, dry: bool = False) -> int:
    if cap is None:
        return 0
    now, ended = await outlook(database)
    if now.staying <= HIGH * cap:
        return 0
    target = int(LOW * cap)
    evicted = 0
    for job in making_room(ended, now.shares, now.staying - target):
        outcome = Outcome.GONE if dry else await evict(database, job.job, above=target)
        if outcome is Outcome.ENOUGH:
            break
        if outcome is Outcome.GONE:
            log.info("would evict a job" if dry else "evicted a job", job=str(job.job), bytes=job.bytes)
            evicted += 1
    return evicted
