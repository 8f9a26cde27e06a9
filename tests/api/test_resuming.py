"""Uploads go on where they were: after a broken connection, on another replica, beside another writer."""

import asyncio
import random

import httpx
import pytest

from api import wire
from api.conftest import Server, Start, logged_in, rows
from api.tus_client import BYTES, begun, kept, offset, patch, patch_head, swept
from api.wire import MIB, clip
from conftest import eventually
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

DATA = clip()


async def test_patch_instead_of_post_by_its_header(client: httpx.AsyncClient) -> None:
    where = await begun(client, 5000)

    answer = await client.post(
        where, content=DATA, headers={**BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    )

    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "5000")


async def test_a_long_patch_is_kept_as_it_came_in_pieces_of_8_mib(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    data = clip() + random.Random(4).randbytes(17 * MIB + 123)
    where = await begun(client, len(data))

    await patch(client, where, 0, data)

    assert await kept(database, blobs, where) == data
    sizes = [row["size"] for row in await rows(database, "SELECT size FROM chunk ORDER BY n")]
    assert sizes[:2] == [8 * MIB, 8 * MIB]
    assert len(sizes) == 3


async def test_a_client_too_slow_is_cut_and_what_it_brought_is_kept(
    start: Start, database: Database, blobs: Blobs
) -> None:
    server = await start(limits={"idle": 0.3})
    async with logged_in(server) as client:
        where = await begun(client, 5000)
        async with wire.connected(server.url) as (reader, writer):
            writer.write(patch_head(where, await server.log_in(), 0, 5000) + DATA[:1500])
            status, _ = await wire.answer(reader)

        assert status == 408
        assert await offset(client, where) == 1500
    assert await kept(database, blobs, where) == DATA[:1500]


async def test_a_writer_is_followed_by_another_while_it_still_sends(
    server: Server, client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    data = clip(MIB)
    where = await begun(client, MIB)
    async with wire.connected(server.url) as (reader, writer):
        writer.write(patch_head(where, await server.log_in(), 0, MIB) + data[:-1])
        await writer.drain()

        async def writes() -> bool:
            return bool(await rows(database, "SELECT FROM upload WHERE writer IS NOT NULL"))

        await eventually(writes)
        answer = await patch(client, where, await offset(client, where), data)
        writer.write(data[-1:])
        async with asyncio.timeout(10):
            late = await reader.readuntil(b"\r\n")

    assert answer.status_code == 204
    assert late.startswith(b"HTTP/1.1 409")
    assert await kept(database, blobs, where) == data
    assert await swept(database, blobs)
