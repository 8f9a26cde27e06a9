"""Bodies that stall are cut; bodies that are refused end with an answer the client can read."""

import asyncio
import time

import pytest

from api import wire
from api.conftest import Start, nothing_is_left, rows
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

BODY = wire.part("videos", clip(), "a.mp4")


async def test_a_body_that_stops_is_cut_and_leaves_nothing(start: Start, database: Database, blobs: Blobs) -> None:
    server = await start(limits={"idle": 0.3})
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), 10 * MIB) + BODY)
        began = time.monotonic()

        status, text = await wire.answer(reader)

    assert status == 408
    assert "too_slow" in text
    assert 0.25 < time.monotonic() - began < 3
    assert await nothing_is_left(database, blobs)


async def test_a_body_that_drips_is_cut(start: Start, database: Database, blobs: Blobs) -> None:
    server = await start(limits={"idle": 0.5, "slowest": 1000})
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), 10 * MIB) + BODY[:100])

        async def drip() -> None:
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        async with asyncio.timeout(10):
            text = await reader.readuntil(b"}")
        dripping.cancel()

    assert text.startswith(b"HTTP/1.1 408")
    assert await nothing_is_left(database, blobs)


async def test_a_body_as_slow_as_may_be_arrives(start: Start) -> None:
    server = await start(limits={"idle": 0.2, "slowest": 1000})
    body = wire.whole(wire.part("videos", clip(3000), "a.mp4"))
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), len(body), Connection="close"))
        for n in range(0, len(body), 200):
            writer.write(body[n : n + 200])
            await asyncio.sleep(0.06)

        status, text = await wire.answer(reader)

    assert status == 202, text


async def test_other_bodies_are_cut_as_well(start: Start) -> None:
    server = await start(limits={"idle": 0.2})
    async with wire.connected(server.url) as (reader, writer):
        writer.write(b'POST /api/auth HTTP/1.1\r\nHost: test\r\nContent-Length: 50\r\n\r\n{"pass')

        status, _ = await wire.answer(reader)

    assert status == 408


async def test_what_was_refused_may_be_sent_to_its_end_and_the_answer_is_read_after_it(
    start: Start, database: Database
) -> None:
    server = await start()
    body = wire.whole(wire.part("videos", b"no video" * 1000, "a.mp4"), wire.part("videos", clip(60 * MIB), "b.mp4"))
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), len(body)) + body)
        await writer.drain()

        status, text = await wire.answer(reader)

    assert status == 415
    assert "a.mp4: " in text
    assert await rows(database, "SELECT FROM chunk WHERE state <> 'dropped'") == []


async def test_an_unknown_token_is_refused_before_the_body(start: Start) -> None:
    server = await start()
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head("wrong", 100 * MIB, Expect="100-continue"))

        status, text = await wire.answer(reader)

    assert status == 401
    assert "100 Continue" not in text
