"""The bytes of one request that continues an upload: counted, looked at, and stored piece by piece while they arrive.

Each stored piece moves the offset, so that whatever ends the request, what was stored by then need not be sent again.
A client that leaves, or is cut for being slow, leaves what it brought: that is stored, too.
"""

from collections.abc import AsyncIterator
from uuid import uuid4

from starlette.requests import ClientDisconnect

from retake.domain.sniff import ENOUGH
from retake.store.uploads import OffsetMoved, Upload, continue_upload, end_upload, piece_stored
from retake_api.incoming import Dock, refuse
from retake_api.problems import Problem
from retake_api.pulse import Pulse
from retake_api.source_writer import Piece, SourceWriter


async def receive(dock: Dock, upload: Upload, body: AsyncIterator[bytes]) -> None:
    """All that comes; what is no video, or more than was declared, is refused."""
    continuation = Continuation(dock, upload)
    await continue_upload(dock.database, upload.id, upload.received, continuation.writer)
    arriving = _Arriving(body)
    try:
        async for data in arriving:
            await continuation.feed(data)
        await continuation.end()
    except BaseException as error:
        await continuation.abandon()
        if isinstance(error, Problem) and error.status == 415:
            await dock.discard(await end_upload(dock.database, upload.id))
        raise
    if arriving.cut is not None:
        raise arriving.cut


class Continuation:
    def __init__(self, dock: Dock, upload: Upload) -> None:
        self._dock, self._upload, self.writer = dock, upload, uuid4()
        self._offset, self._head = upload.received, upload.head
        self._more_types = dock.limits.more_types
        self._pulse = Pulse(dock.database, upload.id, dock.timing.touch)
        self._pieces = SourceWriter(
            dock.database, dock.blobs, dock.buffers, upload.id,
            stored=self._stored, n=upload.pieces, start=upload.received,
        )  # fmt: skip

    async def feed(self, data: bytes) -> None:
        self._offset += len(data)
        if self._offset > self._upload.length:
            raise beyond(self._upload.name, self._upload.received, self._upload.length)
        if self._head is not None:
            self._head = (self._head + data)[:ENOUGH]
            if len(self._head) == ENOUGH or self._offset == self._upload.length:
                refuse(self._upload.name, self._head, self._more_types)
                self._head = None
        await self._pulse.beat(self._upload.id)
        await self._pieces.write(data)

    async def end(self) -> None:
        """Returns when every byte is stored."""
        await self._pieces.finish()

    async def abandon(self) -> None:
        await self._pieces.abandon()

    async def _stored(self, piece: Piece) -> None:
        """A piece is cut when its buffer is full, which is long after it is known what the upload is, or at the end."""
        try:
            await piece_stored(
                self._dock.database, self._upload.id, self.writer,
                key=piece.key, start=piece.start, size=piece.size, head=self._head,
            )  # fmt: skip
        except OffsetMoved:
            await self._dock.discard([piece.key])
            raise


class _Arriving:
    """A body to its end, or to where its client was cut off."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self.cut: ClientDisconnect | Problem | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for data in self._body:
                if data:
                    yield data
        except (ClientDisconnect, Problem) as cut:
            self.cut = cut


def beyond(name: str, offset: int, length: int) -> Problem:
    sentence = f"These bytes reach beyond the {length:,} that were declared for {name}."
    return Problem(413, "beyond_the_end", sentence, offset=offset, length=length)
