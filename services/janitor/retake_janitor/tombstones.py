"""Rows that have told their story go: jobs purged a week ago, events and passes of then, keys and sessions that are
over. Nobody can ask for them any more."""

from retake import logs
from retake.store.connect import Database
from retake.store.tombstones import FORGET, forget

log = logs.logger(__name__)

BATCH = 1000
MOST = 100_000


async def run_once(database: Database, *, dry: bool = False, most: int = MOST) -> int:
    """A dry run looks at one batch of each."""
    forgotten = 0
    for name in FORGET:
        rows, last = 0, BATCH
        while last == BATCH and rows < most:
            last = await forget(database, name, BATCH, dry=dry)
            rows += last
            if dry:
                break
        if rows:
            log.info("would forget rows" if dry else "forgot rows", what=name, rows=rows)
        forgotten += rows
    return forgotten
