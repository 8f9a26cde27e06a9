"""What people submit: sources with real bytes, put as the API puts them, and jobs over them."""

import hashlib
import secrets
from collections.abc import Sequence
from uuid import UUID

from retake.blobs.bucket import Blobs
from retake.blobs.keys import SourceChunk
from retake.store import sources
from retake.store.connect import Database
from retake.store.jobs import NewJob

CHUNK = 64 * 2**10


async def put_source(database: Database, blobs: Blobs, workspace: UUID, data: bytes) -> UUID:
    """A source that is ready, of as many chunks as it takes."""
    source = await sources.begin_source(database, workspace)
    for n, start in enumerate(range(0, len(data), CHUNK)):
        piece = data[start : start + CHUNK]
        key = SourceChunk(str(source), n, secrets.token_hex(8)).key
        sha256 = hashlib.sha256(piece).hexdigest()
        await sources.intend_chunk(database, source, n=n, start=start, size=len(piece), sha256=sha256, key=key)
        await blobs.put(key, piece)
        await sources.chunk_done(database, source, key)
    await sources.finish_source(database, source)
    return source


async def new_job(
    database: Database, blobs: Blobs, workspace: UUID, videos: Sequence[bytes], takes: int, *, seed: int = 1
) -> NewJob:
    """Its bytes are complete; accepting it is left to the caller."""
    named = [
        (f"{position}.mp4", await put_source(database, blobs, workspace, data)) for position, data in enumerate(videos)
    ]
    return NewJob(workspace, named, takes, seed)
