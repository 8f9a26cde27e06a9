"""Sources that no video needs any more: the row goes first, then the bytes. Bytes that stay behind are garbage."""

from retake.blobs.bucket import Blobs
from retake.store.connect import Database
from retake.store.sources import forget_chunks, sweep_source

MOST = 1000


async def run_once(database: Database, blobs: Blobs) -> int:
    swept = 0
    for _ in range(MOST):
        keys = await sweep_source(database)
        if keys is None:
            break
        await blobs.delete_many(keys)
        await forget_chunks(database, keys)
        swept += bool(keys)
    return swept
