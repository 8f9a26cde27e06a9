"""Writes one source as immutable chunks while its bytes arrive: one chunk fills while the one before is put.

Of each chunk: its key in the database first, then its bytes, then the word that they are there, which is its owner's to
give. So whatever dies in between, no object exists that no row knows of.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex
from uuid import UUID

from retake.blobs.bucket import Blobs
from retake.blobs.keys import SourceChunk
from retake.store.connect import Database
from retake.store.sources import intend_chunk
from retake_api.buffers import FLOOR, Buffers


@dataclass(frozen=True)
class Piece:
    key: str
    start: int
    size: int


class SourceWriter:
    """Writes from byte `start` on, which is where chunk `n` begins; `stored` is told of each whose bytes are there."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        buffers: Buffers,
        source: UUID,
        *,
        stored: Callable[[Piece], Awaitable[None]],
        n: int = 0,
        start: int = 0,
    ) -> None:
        self._database, self._blobs, self._buffers, self._source = database, blobs, buffers, source
        self._stored = stored
        self._filling = bytearray()
        self._room = 0
        self._n, self._cut_at = n, start
        self._putting: asyncio.Task[None] | None = None

    async def write(self, data: bytes) -> None:
        """Returns when the bytes are stored or in memory; raises what went wrong with those before."""
        if not self._room:
            self._buffers.open()
            self._room = FLOOR
        rest = memoryview(data)
        while rest:
            if len(self._filling) == self._room and not self._grown():
                await self._cut()
            fits = rest[: self._room - len(self._filling)]
            self._filling += fits
            rest = rest[len(fits) :]

    async def finish(self) -> None:
        """Returns when every byte is stored."""
        if self._filling:
            await self._cut()
        await self._settled()
        self._release()

    async def abandon(self) -> None:
        """Returns when nothing is under way any more: what is stored by then, whoever drops the source can delete."""
        if self._putting is not None:
            await asyncio.gather(self._putting, return_exceptions=True)
            self._putting = None
        self._filling = bytearray()
        self._release()

    def _grown(self) -> bool:
        before, self._room = self._room, self._buffers.grow(self._room)
        return self._room > before

    def _release(self) -> None:
        self._buffers.give_back(self._room)
        self._room = 0

    async def _cut(self) -> None:
        """Where memory is short, the next chunk is not begun before this one is put."""
        await self._settled()
        chunk, room, second = bytes(self._filling), self._room, self._buffers.second()
        n, start = self._n, self._cut_at
        self._filling, self._room = bytearray(), FLOOR
        self._n, self._cut_at = n + 1, start + len(chunk)
        self._putting = asyncio.create_task(self._put(n, start, chunk, room if second else room - FLOOR))
        del chunk
        if not second:
            await self._settled()

    async def _settled(self) -> None:
        if self._putting is not None:
            await asyncio.wait({self._putting})
            putting, self._putting = self._putting, None
            putting.result()

    async def _put(self, n: int, start: int, chunk: bytes, room: int) -> None:
        try:
            key = SourceChunk(str(self._source), n, token_hex(8)).key
            sha256 = await asyncio.to_thread(lambda: hashlib.sha256(chunk).hexdigest())
            await intend_chunk(self._database, self._source, n=n, start=start, size=len(chunk), sha256=sha256, key=key)
            await self._blobs.put(key, chunk)
            await self._stored(Piece(key, start, len(chunk)))
        finally:
            self._buffers.give_back(room)
