"""A way to the server that breaks: each of the first connections is reset after so many bytes, the others are not."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Way:
    def __init__(self, url: str, cuts: Iterable[int]) -> None:
        self._place, self._cuts = urlsplit(url), list(cuts)
        self.url = ""
        self.cut = 0
        self.sent = 0
        """Bytes of clients that got as far as the server, or were on their way to it."""

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = self._cuts.pop(0) if self._cuts else None
        back_reader, back_writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        back = asyncio.create_task(self._back(back_reader, writer))
        with suppress(ConnectionError):
            while piece := await reader.read(64 * 1024):
                self.sent += len(piece)
                back_writer.write(piece)
                await back_writer.drain()
                if left is not None and (left := left - len(piece)) <= 0:
                    self.cut += 1
                    break
        back.cancel()
        back_writer.transport.abort()
        writer.transport.abort()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(64 * 1024):
                writer.write(piece)
                await writer.drain()


@asynccontextmanager
async def breaking(url: str, cuts: Iterable[int]) -> AsyncIterator[Way]:
    way = Way(url, cuts)
    server = await asyncio.start_server(way.pass_on, "127.0.0.1", 0)
    way.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield way
    finally:
        server.close()
