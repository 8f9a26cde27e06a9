"""A way to Postgres on which one COMMIT goes wrong: that of the first transaction that makes a job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from retake.settings import Postgres
from retake.store.connect import Database, open_database

_MAKES = b"INSERT INTO job ("


class Way:
    """`lost` is what becomes of the COMMIT. before: it never arrives; after: only its reply is lost; late: its client
    is cut off, and it arrives when it is told to (`arrive`)."""

    def __init__(self, url: str, lost: str) -> None:
        self._place, self.lost = urlsplit(url), lost
        self.arrive = asyncio.Event()
        self.cut = 0

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._place.hostname, self._place.port)
        replies = asyncio.create_task(_passed(there, writer))
        makes = False
        with suppress(ConnectionError):
            while data := await reader.read(2**16):
                makes = makes or _MAKES in data
                if makes and b"COMMIT" in data and not self.cut:
                    self.cut += 1
                    replies.cancel()
                    await asyncio.wait([replies])
                    await self._commit(data, there, back, writer)
                    break
                back.write(data)
        replies.cancel()
        writer.transport.abort()
        back.transport.abort()

    async def _commit(
        self, data: bytes, there: asyncio.StreamReader, back: asyncio.StreamWriter, writer: asyncio.StreamWriter
    ) -> None:
        if self.lost == "late":
            writer.transport.abort()
            await self.arrive.wait()
        if self.lost != "before":
            back.write(data)
            assert b"COMMIT" in await there.read(2**16)


async def _passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(2**16):
            writer.write(data)
    writer.transport.abort()


@asynccontextmanager
async def losing(postgres: Postgres, lost: str) -> AsyncIterator[tuple[Database, Way]]:
    """Another pool on the same database."""
    way = Way(postgres.url, lost)
    server = await asyncio.start_server(way.pass_on, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    place = urlsplit(postgres.url)
    url = place._replace(netloc=f"{place.netloc.rpartition(':')[0]}:{port}").geturl()
    try:
        async with open_database(Postgres(url=url, pool=4), name="losing") as database:
            yield database, way
    finally:
        server.close()
