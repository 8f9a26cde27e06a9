"""What rows know and no process does, as metrics: storage, and the janitor's last pass."""

import asyncio

import structlog

from retake import metrics
from retake.store.connect import Database, Unavailable
from retake.store.janitor_runs import last_run
from retake.store.room import bytes_used

log = structlog.stdlib.get_logger(__name__)

EVERY = 15.0


async def keep_figures(database: Database, cap: int | None) -> None:
    """Until cancelled."""
    metrics.STORAGE_CAP.set(cap or 0)
    while True:
        try:
            await look(database)
        except Unavailable as error:
            log.debug("no figures now", error=str(error))
        await asyncio.sleep(EVERY)


async def look(database: Database) -> None:
    metrics.STORAGE_USED.set(await bytes_used(database))
    if (run := await last_run(database)) is None:
        return
    metrics.JANITOR_ENDED.set(run.ended_at.timestamp())
    for chore, count in run.counts.items():
        metrics.JANITOR_DID.labels(chore).set(count)
        metrics.JANITOR_FAILED.labels(chore).set(0)
    for chore in run.errors:
        metrics.JANITOR_FAILED.labels(chore).set(1)
