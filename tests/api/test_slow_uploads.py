"""Uploads that take long: while bytes of one come, however few, nothing of it is swept; nor is it cut into dust."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api import wire
from api.conftest import Server, Start, logged_in, nothing_is_left, rows
from api.sweeping import aged
from api.tus_client import begun, kept, offset, patch, patch_head
from api.wire import clip
from conftest import eventually
from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.store.connect import Database
from retake_api.tus import MOST_PIECES
from retake_janitor import abandoned_uploads

pytestmark = pytest.mark.anyio

DATA = clip()
FORM = wire.whole(wire.part("videos", DATA, "a.mp4"))
HALF = 2500
WRITTEN = "SELECT FROM upload WHERE writer IS NOT NULL"
TOUCHING = replace(Timing(), touch=0.05)


class Slow:
    """A request of which half has come, and is a day old."""

    def __init__(self, database: Database, reader: Any, writer: Any, rest: bytes) -> None:
        self._database, self._reader, self._writer, self._rest = database, reader, writer, rest

    async def touched(self) -> bool:
        """One byte more has been sent. Is what came before kept for it?"""
        self._writer.write(self._rest[:1])
        self._rest = self._rest[1:]
        await self._writer.drain()
        assert self._rest, "all of it was sent, and nobody was told"
        return not await rows(self._database, "SELECT FROM source WHERE touched_at < now() - interval '1 h'")

    async def end(self) -> str:
        self._writer.write(self._rest)
        return (await wire.answer(self._reader))[1]


@asynccontextmanager
async def slow(server: Server, database: Database, head: bytes, body: bytes, begun: str) -> AsyncIterator[Slow]:
    """`begun` finds it when it has."""
    async with wire.connected(server.url) as (reader, writer):
        writer.write(head + body[:HALF])
        await eventually(lambda: rows(database, begun))
        await aged(database)
        yield Slow(database, reader, writer, body[HALF:])


async def test_a_slow_form_is_not_swept(start: Start, database: Database, blobs: Blobs) -> None:
    server = await start(timing=TOUCHING)
    head = wire.head(await server.log_in(), len(FORM), Connection="close")
    async with slow(server, database, head, FORM, "SELECT FROM source") as form:
        await eventually(form.touched)

        swept = await abandoned_uploads.run_once(database, blobs)
        answer = await form.end()

    assert swept == 0
    assert answer.startswith("HTTP/1.1 202")


async def test_a_slow_request_of_an_upload_is_not_swept(start: Start, database: Database, blobs: Blobs) -> None:
    server = await start(timing=TOUCHING)
    async with logged_in(server) as client:
        where = await begun(client, len(DATA))
        head = patch_head(where, await server.log_in(), 0, len(DATA)).replace(
            b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"
        )
        async with slow(server, database, head, DATA, WRITTEN) as request:
            await eventually(request.touched)

            swept = await abandoned_uploads.run_once(database, blobs)
            answer = await request.end()

    assert swept == 0
    assert answer.startswith("HTTP/1.1 204")
    assert await kept(database, blobs, where) == DATA


async def test_a_form_that_was_swept_while_nothing_of_it_came_is_refused_when_it_comes_after_all(
    server: Server, database: Database, blobs: Blobs
) -> None:
    head = wire.head(await server.log_in(), len(FORM), Connection="close")
    async with slow(server, database, head, FORM, "SELECT FROM source") as form:
        await abandoned_uploads.run_once(database, blobs)

        answer = await form.end()

    assert answer.startswith("HTTP/1.1 409")
    assert '"source_gone"' in answer
    assert await nothing_is_left(database, blobs)


async def test_an_upload_comes_in_ten_thousand_pieces_and_no_more(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    where = await begun(client, len(DATA))
    await patch(client, where, 0, DATA[:2000])
    await rows(database, "UPDATE upload SET pieces = %s RETURNING 1", MOST_PIECES - 1)

    last, refused = await patch(client, where, 2000, DATA[2000:2001]), await patch(client, where, 2001, DATA[2001:])

    assert MOST_PIECES == 10_000
    assert last.status_code == 204
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_pieces")
    assert refused.json()["error"].endswith("please begin anew.")
    assert await offset(client, where) == 2001
