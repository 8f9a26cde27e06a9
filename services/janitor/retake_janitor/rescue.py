"""Parts whose worker was lost go back to the queue, also when no API is alive to see to it."""

from retake.domain.timing import Timing
from retake.reaper import reap_once
from retake.store.connect import Database


async def run_once(database: Database, timing: Timing) -> int:
    return await reap_once(database, timing)
