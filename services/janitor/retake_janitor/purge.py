"""Expired jobs give up their bytes: their state went first, now the objects go, then the row says that they are gone.

The grace in between is as long as somebody downloads. Whoever dies in between leaves an expired job without its stamp,
and the next pass does it again: deleting what is not there is fine, and only the stamp moves the ledger.
"""

from retake import logs
from retake.blobs.bucket import Blobs
from retake.disposal import purge_job
from retake.store.connect import Database
from retake.store.each import one_by_one
from retake.store.results import purgeable

log = logs.logger(__name__)

MOST = 1000


async def run_once(database: Database, blobs: Blobs, *, dry: bool = False, most: int = MOST) -> int:
    jobs = await purgeable(database, most)
    if not dry:
        return await one_by_one(jobs, lambda job: purge_job(database, blobs, job))
    for job in jobs:
        log.info("would delete the bytes of a job", job=str(job))
    return len(jobs)
