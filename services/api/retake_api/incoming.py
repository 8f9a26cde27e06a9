"""One video on its way in: counted, looked at, and written to storage while it arrives."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobError
from retake.domain.sniff import ENOUGH, refusal, sniff
from retake.domain.timing import Timing
from retake.settings import Storage, Uploads
from retake.store.connect import Database, Unavailable
from retake.store.room import Queue
from retake.store.sources import SourceGone, chunk_done, forget_chunks
from retake_api.buffers import Buffers
from retake_api.problems import Problem
from retake_api.source_writer import Piece, SourceWriter

MIB = 2**20


@dataclass(frozen=True)
class Dock:
    """Where videos are unloaded."""

    database: Database
    blobs: Blobs
    buffers: Buffers
    limits: Uploads
    storage: Storage
    timing: Timing
    webhooks: bool
    """Whether a job may name an address to be told at."""

    @property
    def queue(self) -> Queue:
        return Queue(self.limits.queue_jobs, self.limits.queue_videos)

    async def discard(self, keys: Sequence[str]) -> None:
        """The bytes of rows that are given up. What cannot be deleted now is found later by its rows."""
        with suppress(BlobError, Unavailable):
            await self.blobs.delete_many(keys)
            await forget_chunks(self.database, keys)


class Incoming:
    def __init__(self, dock: Dock, name: str, source: UUID) -> None:
        self._most = dock.limits.file_mib * MIB
        self._dock = dock
        self._writer = SourceWriter(dock.database, dock.blobs, dock.buffers, source, stored=self._stored)
        self._head = bytearray()
        self._recognised = False
        self.name, self.source, self.size = name, source, 0

    async def feed(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._most:
            raise Problem(
                413,
                "file_too_large",
                f"{self.name} has more than {self._most // MIB} MiB, the most a video may have.",
                file=self.name,
                limit=self._most,
            )
        if self._recognised:
            await self._writer.write(data)
            return
        self._head += data
        if len(self._head) >= ENOUGH:
            await self._recognise()

    async def end(self) -> None:
        """Returns when every byte is stored."""
        if not self._recognised:
            await self._recognise()
        await self._writer.finish()

    async def abandon(self) -> None:
        await self._writer.abandon()

    async def _stored(self, piece: Piece) -> None:
        try:
            await chunk_done(self._dock.database, self.source, piece.key)
        except SourceGone:
            await self._dock.discard([piece.key])
            raise

    async def _recognise(self) -> None:
        refuse(self.name, bytes(self._head), self._dock.limits.more_types)
        self._recognised = True
        head, self._head = bytes(self._head), bytearray()
        await self._writer.write(head)


def refuse(name: str, head: bytes, more: Collection[str]) -> None:
    """Raises Problem 415 for what does not begin like a video that is taken."""
    kind = sniff(head)
    if (failure := refusal(kind, more)) is not None:
        raise Problem(415, failure.code, f"{name}: {failure.sentence}", file=name, found=kind)
