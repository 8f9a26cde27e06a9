"""Bytes whose rows gave them up: a purged job's takes, the chunks of sources that are gone or were never used.

The row went first and says so. Now the objects go, then the row is stamped, or goes too. Whoever dies in between
leaves what the next one finds and does again: deleting what is not there is fine.
"""

from collections.abc import Iterable
from uuid import UUID

import structlog

from retake.blobs.bucket import Blobs
from retake.blobs.keys import SourceChunk, of_job, parse
from retake.store.connect import Database
from retake.store.orphans import Made, without_row
from retake.store.results import stamp_purged
from retake.store.sources import forget_chunks, sweep_source
from retake.store.uploads import dropped_chunks

log = structlog.stdlib.get_logger(__name__)


async def purge_job(database: Database, blobs: Blobs, job: UUID) -> bool:
    """All that workers made of an expired job, also what was never committed. True: it is off the ledger by this."""
    for prefix in of_job(str(job)):
        await blobs.delete_many([blob.key async for blob in blobs.listing(prefix) if parse(blob.key)])
    purged = await stamp_purged(database, job)
    if purged:
        log.info("the bytes of a job are deleted", job=str(job))
    return purged


async def sweep_sources(database: Database, blobs: Blobs, most: int) -> int:
    """Sources that no video needs any more; how many."""
    swept = 0
    for _ in range(most):
        keys = await sweep_source(database)
        if keys is None:
            break
        swept += bool(keys)
    await delete_garbage(database, blobs)
    return swept


async def delete_garbage(database: Database, blobs: Blobs) -> int:
    """The chunks of sources that are gone, and those that lost their place to another; how many."""
    deleted = 0
    while keys := await dropped_chunks(database):
        await blobs.delete_many(keys)
        await forget_chunks(database, keys)
        deleted += len(keys)
    return deleted


async def unclaimed(database: Database, keys: Iterable[str]) -> list[str]:
    """Those that look like ours, and that no row knows of."""
    chunks: list[str] = []
    made: list[Made] = []
    for key in keys:
        match parse(key):
            case None:
                continue
            case SourceChunk():
                chunks.append(key)
            case other:
                made.append(Made(key, other.video, other.claim))
    return await without_row(database, chunks, made)
