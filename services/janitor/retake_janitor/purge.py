"""Expired jobs give up their bytes: their state went first, now the objects go, then the row says that they are gone.

Whoever dies in between leaves an expired job without its stamp, and the next pass does it again: deleting what is not
there is fine, and only the stamp moves the ledger.
"""

from retake.blobs.bucket import Blobs
from retake.blobs.keys import of_job, parse
from retake.store.connect import Database
from retake.store.results import purgeable, stamp_purged

MOST = 100


async def run_once(database: Database, blobs: Blobs, most: int = MOST) -> int:
    purged = 0
    for job in await purgeable(database, most):
        for prefix in of_job(str(job)):
            await blobs.delete_many([blob.key async for blob in blobs.listing(prefix) if parse(blob.key)])
        purged += await stamp_purged(database, job)
    return purged
