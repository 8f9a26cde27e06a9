"""Jobs whose time is over are wished away; their bytes go afterwards. Their time began when they ended."""

from retake import logs
from retake.store.connect import Database
from retake.store.jobs import due_to_expire, expire_due

log = logs.logger(__name__)

MOST = 10_000


async def run_once(database: Database, *, dry: bool = False, most: int = MOST) -> int:
    if not dry:
        return await expire_due(database, most)
    due = await due_to_expire(database, most)
    for job in due:
        log.info("would expire a job", job=str(job), because="age")
    return len(due)
