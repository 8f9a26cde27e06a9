"""Uploads as the store sees them, whole in one step: for what comes after them."""

import hashlib
from uuid import UUID, uuid4

from api.wire import clip
from retake.blobs.bucket import Blobs
from retake.blobs.keys import SourceChunk
from retake.store.connect import Database
from retake.store.room import Queue
from retake.store.sources import intend_chunk
from retake.store.uploads import begin_upload, continue_upload, piece_stored
from retake.store.workspaces import ensure_workspace


async def begun(database: Database, name: str = "a.mp4", length: int = 5000, workspace: str = "default") -> UUID:
    owner = await ensure_workspace(database, workspace)
    room = Queue(10**9, 10**9)
    return await begin_upload(database, owner, name=name, metadata="", length=length, cap=None, queue=room)


async def put(database: Database, blobs: Blobs, upload: UUID, data: bytes) -> None:
    """The first bytes of it, which has none."""
    writer = uuid4()
    key = SourceChunk(str(upload), 0, writer.hex).key
    await continue_upload(database, upload, 0, writer)
    sha256 = hashlib.sha256(data).hexdigest()
    await intend_chunk(database, upload, n=0, start=0, size=len(data), sha256=sha256, key=key)
    await blobs.put(key, data)
    await piece_stored(database, upload, writer, key=key, start=0, size=len(data), head=None)


async def uploaded(database: Database, blobs: Blobs, name: str = "a.mp4", workspace: str = "default") -> UUID:
    data = clip()
    upload = await begun(database, name, len(data), workspace)
    await put(database, blobs, upload, data)
    return upload
