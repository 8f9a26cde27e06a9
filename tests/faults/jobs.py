"""What people submit: sources with real bytes, put as the API puts them, and jobs over them."""

import hashlib
import secrets
import struct
import subprocess
from collections.abc import Sequence
from functools import cache
from uuid import UUID

from retake.blobs.bucket import Blobs
from retake.blobs.keys import SourceChunk
from retake.store import sources
from retake.store.connect import Database
from retake.store.jobs import NewJob
from retake_worker.ffmpeg_process import find_ffmpeg

CHUNK = 64 * 2**10


@cache
def _picture() -> bytes:
    """The smallest real video: a fifth of a second, so that a round is about the protocol and not about encoding."""
    argv = [
        find_ffmpeg(None), "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=0.2",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "mp4",
        "-movflags", "frag_keyframe", "-",
    ]  # fmt: skip
    return subprocess.run(argv, capture_output=True, check=True).stdout


def clip(padding: bytes = b"") -> bytes:
    """That video, in a file like no other: what is appended lies in a box that everybody passes over."""
    return _picture() + struct.pack(">I4s", 8 + len(padding), b"free") + padding


async def put_source(database: Database, blobs: Blobs, workspace: UUID, data: bytes, *, chunk: int = CHUNK) -> UUID:
    """A source that is ready, of as many chunks as it takes."""
    source = await sources.begin_source(database, workspace)
    for n, start in enumerate(range(0, len(data), chunk)):
        piece = data[start : start + chunk]
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
