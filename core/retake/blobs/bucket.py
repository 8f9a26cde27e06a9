"""The object store, for everybody else: bytes in, bytes out, by key.

Only what every S3-compatible store does is used: put (whole, or one file of known length), get and one Range, stat,
list by prefix, delete one and many. conformance.py proves that an endpoint does it. Objects are immutable: nothing
here copies, tags or locks, nobody writes a key twice, and nothing relies on the store's clock.
"""

import asyncio
import io
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from minio import Minio
from minio.deleteobjects import DeleteError, DeleteObject

from retake import metrics
from retake.blobs.connect import CHUNK, Line, send
from retake.blobs.errors import FAILURES, BlobError, BlobMissing, BlobRefused, BlobUnavailable, told
from retake.blobs.transfer import Body, Upload, open_body
from retake.settings import Bucket

PIECE = 2**20  # what a stream reads at once
_PAGE = 1000  # what S3 lists and deletes at once


@dataclass(frozen=True)
class Blob:
    key: str
    size: int


class Blobs:
    """One bucket, seen below the prefix of its settings. Any method may raise a BlobError (errors.py)."""

    def __init__(self, settings: Bucket, *, threads: int, timeout: float) -> None:
        self._bucket, self._prefix = settings.name, settings.prefix
        self._line = Line(settings, "blobs", threads=threads, connect=min(5, timeout), read=timeout, retries=2)
        # A probe waits for nobody's upload, and a store that hangs holds one thread of it, not one per probe.
        self._probe = Line(settings, "blobs-probe", threads=1, connect=2, read=2, retries=0)

    async def put(self, key: str, data: bytes) -> None:
        """Stores up to CHUNK bytes, visible whole or not at all."""
        if len(data) > CHUNK:
            raise ValueError(f"{key}: {len(data)} bytes are more than put takes at once; put_file takes any number")
        name, size = self._name(key), len(data)
        await self._line.ask(key, lambda client: send(client, self._bucket, name, io.BytesIO(data), size))

    async def put_file(self, key: str, file: Path) -> int:
        """Stores a file of any length, visible whole or not at all; returns its size. Cancelled, it stops early."""
        name, stopped = self._name(key), threading.Event()

        def work(client: Minio) -> int:
            with file.open("rb", buffering=0) as opened:
                size = opened.seek(0, io.SEEK_END)
                opened.seek(0)
                send(client, self._bucket, name, cast("BinaryIO", Upload(opened, stopped)), size)
                return size

        return await self._line.ask(key, work, abandoned=lambda _late: stopped.set())

    async def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        """The object, or exactly `length` of its bytes from `offset` on; at most CHUNK bytes."""
        opening = self._opening(key, offset, length)

        def work(client: Minio) -> bytes:
            body = opening(client)
            try:
                if body.left > CHUNK:
                    raise BlobError(f"{body.left} bytes are more than get returns at once; stream them")
                return body.read(body.left)
            finally:
                body.close()

        return b"" if length == 0 else await self._line.ask(key, work)

    @asynccontextmanager
    async def stream(
        self, key: str, offset: int = 0, length: int | None = None, *, piece: int = PIECE
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The object, or exactly `length` of its bytes, in pieces of that size at most, each read when it is asked for.

        What is missing is known on entry, before the first piece. Leaving early gives up the connection; so does an
        answer that comes when its caller was cancelled: dropped, a response closes itself.
        """
        opening = self._opening(key, offset, length)
        body: Body | None = None
        if length != 0:
            body = await self._line.ask(key, opening)
        try:
            async with aclosing(self._pieces(key, body, piece)) as pieces:
                yield pieces
        finally:
            if body:
                body.close()

    async def size(self, key: str) -> int:
        name = self._name(key)
        return await self._line.ask(key, lambda client: client.stat_object(self._bucket, name).size or 0)

    async def listing(self, prefix: str = "") -> AsyncIterator[Blob]:
        """Every object whose key starts with `prefix`, in order of keys, fetched a page at a time."""
        found = self._line.client.list_objects(self._bucket, self._prefix + prefix, recursive=True)
        while page := await self._line.ask(f"{prefix}*", lambda _client: list(islice(found, _PAGE))):
            for item in page:
                yield Blob((item.object_name or "").removeprefix(self._prefix), item.size or 0)

    async def delete(self, key: str) -> None:
        """One that is not there is fine."""
        name = self._name(key)
        with suppress(BlobMissing):
            await self._line.ask(key, lambda client: client.remove_object(self._bucket, name))

    async def delete_many(self, keys: Iterable[str]) -> None:
        """In batches; those not there are fine. What the store would not delete is raised after all was tried."""
        names = iter([self._name(key) for key in keys])
        kept: list[DeleteError] = []
        while batch := [DeleteObject(name) for name in islice(names, _PAGE)]:
            kept += await self._line.ask(f"{len(batch)} deletions", partial(self._delete_batch, batch))
        if failed := [(one, error) for one in kept if not isinstance(error := _judged(one), BlobMissing)]:
            one, worst = next(((one, error) for one, error in failed if isinstance(error, BlobRefused)), failed[0])
            metrics.BUCKET_ERRORS.labels(worst.kind).inc()
            key = (one.name or "?").removeprefix(self._prefix)
            raise type(worst)(f"{len(failed)} objects were not deleted, among them {key}: {worst}")

    async def check(self) -> None:
        """Returns when the store answers, lets us in and has the bucket; for probes."""
        if not await self._probe.ask("probe", lambda client: client.bucket_exists(self._bucket)):
            raise BlobRefused(f"there is no bucket {self._bucket}")

    async def ensure(self) -> None:
        """Makes the bucket when there is none; one who is quicker does no harm."""

        def work(client: Minio) -> None:
            if client.bucket_exists(self._bucket):
                return
            try:
                client.make_bucket(self._bucket)
            except FAILURES:
                if not client.bucket_exists(self._bucket):
                    raise

        await self._probe.ask(f"bucket {self._bucket}", work)

    def close(self) -> None:
        self._line.close()
        self._probe.close()

    async def _pieces(self, key: str, body: Body | None, most: int) -> AsyncGenerator[bytes, None]:
        while body and body.left:
            yield await self._line.ask(key, lambda _client: body.read(most), abandoned=body.abandon)

    def _opening(self, key: str, offset: int, length: int | None) -> partial[Body]:
        if offset < 0 or (length is not None and length < 0):
            raise ValueError(f"{key}: there are no {length} bytes from {offset} on")
        return partial(open_body, bucket=self._bucket, name=self._name(key), offset=offset, length=length)

    def _delete_batch(self, batch: list[DeleteObject], client: Minio) -> list[DeleteError]:
        return list(client.remove_objects(self._bucket, batch))

    def _name(self, key: str) -> str:
        """The key as the store knows it. One that would be normalised on the way could reach another's object."""
        if {"", ".", ".."}.intersection(key.split("/")):
            raise ValueError(f"{key!r} is not a key")
        return self._prefix + key


def _judged(answer: DeleteError) -> BlobError:
    return told(200, answer.code, answer.message or "")


@asynccontextmanager
async def open_blobs(
    settings: Bucket, *, threads: int = 16, timeout: float = 30, patience: float = 30
) -> AsyncIterator[Blobs]:
    """A store that answered once and has its bucket: at start, servers and network policies may need a moment.

    `timeout` bounds every wait for the next bytes, either way; a failed request is tried again twice at most.
    """
    blobs = Blobs(settings, threads=threads, timeout=timeout)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                await blobs.ensure()
                break
            except BlobUnavailable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.2)
        yield blobs
    finally:
        blobs.close()
