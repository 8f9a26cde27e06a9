"""Heads of requests that never end: cut after their time, whatever drips, and nobody else waits for them."""

import asyncio

import pytest

from api import wire
from api.conftest import Server, Start

pytestmark = pytest.mark.anyio

GET = b"GET /livez HTTP/1.1\r\nHost: test\r\n"


async def impatient(start: Start) -> Server:
    server: Server = await start(limits={"head": 0.4})
    return server


async def test_a_head_that_stops_is_cut_with_an_answer(start: Start) -> None:
    server = await impatient(start)
    async with wire.connected(server.url) as (reader, writer):
        writer.write(GET)

        status, text = await wire.answer(reader)

    assert status == 408
    assert "application/problem+json" in text
    assert "too slowly" in text


async def test_a_head_that_drips_is_cut_all_the_same(start: Start) -> None:
    server = await impatient(start)
    async with wire.connected(server.url) as (reader, writer):

        async def drip() -> None:
            writer.write(GET)
            while True:
                writer.write(b"X-A: b\r\n")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        async with asyncio.timeout(10):
            text = await reader.readuntil(b"}")
        dripping.cancel()

    assert text.startswith(b"HTTP/1.1 408")


async def test_a_connection_that_says_nothing_is_closed(start: Start) -> None:
    server = await impatient(start)
    async with wire.connected(server.url) as (reader, _), asyncio.timeout(10):
        assert await reader.read() == b""


async def test_a_connection_that_was_answered_is_closed_when_its_next_head_never_ends(start: Start) -> None:
    server = await impatient(start)
    for more in (b"GET /livez HTTP", b"\r\n"):
        async with wire.connected(server.url) as (reader, writer):
            writer.write(GET + b"\r\n")
            first = await reader.readuntil(b"}")
            writer.write(more)

            status, _ = await wire.answer(reader)

        assert first.startswith(b"HTTP/1.1 200")
        assert status == 408


async def test_a_head_of_no_end_is_refused_before_it_is_kept(start: Start) -> None:
    server = await start()
    async with wire.connected(server.url) as (reader, writer):
        writer.write(GET + b"X-A: " + b"a" * 300_000)
        async with asyncio.timeout(10):
            text = await reader.readuntil(b"}")

    assert text.startswith(b"HTTP/1.1 431")


async def test_what_is_no_http_is_refused_in_our_words(server: Server) -> None:
    for sent in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", GET + b"Content-Length: many\r\n\r\n"):
        async with wire.connected(server.url) as (reader, writer):
            writer.write(sent)
            status, text = await wire.answer(reader)

        assert (status, "application/problem+json" in text, '"bad_request"' in text) == (400, True, True), sent


async def test_a_head_in_time_is_answered_and_its_body_may_take_longer(start: Start) -> None:
    server = await impatient(start)
    body = wire.whole(wire.part("videos", wire.clip(100), "a.mp4"))
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), len(body), Connection="close"))
        for n in range(0, len(body), 40):
            writer.write(body[n : n + 40])
            await asyncio.sleep(0.1)

        status, text = await wire.answer(reader)

    assert status == 202, text
