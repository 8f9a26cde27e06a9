"""Parts whose worker was lost go back to the queue, also when no API is alive to see to it."""

from retake import logs
from retake.domain.timing import Timing
from retake.reaper import reap_once
from retake.store.connect import Database
from retake.store.reaping import lapsed

log = logs.logger(__name__)


async def run_once(database: Database, timing: Timing, *, dry: bool = False) -> int:
    if not dry:
        return await reap_once(database, timing)
    lost = await lapsed(database)
    for part, worker in lost:
        log.info("would take a part back, unless an outage is to blame", part=part, worker=worker)
    return len(lost)
