"""Whatever is sent to POST /api/jobs: the right status, a clear sentence, and nothing left of what was refused."""

import asyncio
import random

import httpx
import pytest

from api import wire
from api.conftest import Server, Start, form, logged_in, nothing_is_left, rows
from api.tus_client import create
from api.wire import MIB, clip
from conftest import eventually
from retake.blobs.bucket import Blobs
from retake.store.connect import Database
from retake.store.uploads import dropped_chunks, sweep_abandoned, sweep_reservations

pytestmark = pytest.mark.anyio

VIDEO = wire.part("videos", clip(), "a.mp4")
JSON = {"Content-Type": "application/json"}
HLS = b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\nhttp://169.254.169.254/a.ts\n"
TABLE = {
    "no body, no type": (b"", {}, 415, "unknown_content_type"),
    "no body, a form": (b"", wire.TYPE, 400, "invalid_form"),
    "no body, JSON": (b"", JSON, 400, "invalid_json"),
    "broken JSON": (b'{"uploads": [', JSON, 400, "invalid_json"),
    "JSON a thousand deep": (b"[" * 50_000, JSON, 400, "invalid_json"),
    "wrong field": (wire.whole(wire.part("file", clip(), "a.mp4")), wire.TYPE, 400, "unknown_field"),
    "no videos": (wire.whole(wire.part("variations", b"3")), wire.TYPE, 400, "no_videos"),
    "11 files": (wire.whole(*[VIDEO] * 11), wire.TYPE, 413, "too_many_files"),
    "text named .mp4": (wire.whole(wire.part("videos", b"Hello. " * 500, "a.mp4")), wire.TYPE, 415, "not_a_video"),
    "HLS named .mp4": (wire.whole(VIDEO, wire.part("videos", HLS, "b.mp4")), wire.TYPE, 415, "not_a_video"),
    "empty file": (wire.whole(VIDEO, wire.part("videos", b"", "b.mp4")), wire.TYPE, 415, "not_a_video"),
    "missing boundary": (wire.whole(VIDEO), {"Content-Type": "multipart/form-data"}, 400, "no_boundary"),
    "10,000 parts": (wire.whole(*[wire.part("variations", b"")] * 10_000), wire.TYPE, 422, "repeated_field"),
    "10,000 empty files": (wire.whole(*[wire.part("videos", b"", "")] * 10_000), wire.TYPE, 413, "too_many_parts"),
    "variations abc": (wire.whole(VIDEO, wire.part("variations", b"abc")), wire.TYPE, 422, "invalid_variations"),
    "variations 0x10": (wire.whole(VIDEO, wire.part("variations", b"0x10")), wire.TYPE, 422, "invalid_variations"),
    "options unknown": (wire.whole(VIDEO, wire.part("options", b'{"x": 1}')), wire.TYPE, 422, "unknown_option"),
}
VARIATIONS = {None: 5, "": 5, " ": 5, "0": 1, "-3": 1, "100": 20, "3.7": 3, "1e1": 10, "7": 7}
NAMES = ["n" * 296 + ".mp4", "\u202eفيديو\u202c.mp4", "🎬🏳️‍🌈.mp4", "a,b,c.mp4", "same.mp4", "same.mp4"]


async def left_after_the_sweep(database: Database, blobs: Blobs) -> bool:
    """Of a request that ended: nothing, not even what a sweep two hours later would find."""
    await rows(database, "UPDATE source SET touched_at = now() - interval '3 h' RETURNING 1")
    await rows(database, "UPDATE reservation SET touched_at = now() - interval '3 h' RETURNING 1")
    assert await sweep_abandoned(database) is None
    assert await sweep_reservations(database) == 0
    assert await dropped_chunks(database) == []
    return await nothing_is_left(database, blobs)


async def test_what_is_wrong_is_refused_with_its_status_and_a_sentence_and_leaves_nothing(
    server: Server, client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    for name, (body, headers, status, code) in TABLE.items():
        answer = await client.post("/api/jobs", content=body, headers=headers)

        told = answer.json()
        assert (answer.status_code, told["code"]) == (status, code), name
        assert answer.headers["Content-Type"] == "application/problem+json", name
        assert told["error"] == told["detail"], name
        assert told["error"][0].isupper() or told["error"].startswith(("a.mp4: ", "b.mp4: ")), name
        assert told["error"].endswith("."), name
        assert await left_after_the_sweep(database, blobs), name
    assert server.woken == []


async def test_without_a_length_a_form_is_411(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    async def pieces():
        yield wire.whole(VIDEO)

    answer = await client.post("/api/jobs", content=pieces(), headers=wire.TYPE)

    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
    assert await left_after_the_sweep(database, blobs)


async def test_501_mb_are_413_where_they_are_declared_and_where_they_arrive(
    start: Start, database: Database, blobs: Blobs
) -> None:
    async with logged_in(await start()) as client:
        declared = await create(client, 501 * MIB)
    async with logged_in(await start(limits={"file_mib": 1})) as client:
        arriving = await client.post("/api/jobs", **form(("small.mp4", clip()), ("big.mp4", clip(2 * MIB))))

    assert (declared.status_code, declared.json()["code"]) == (413, "file_too_large")
    assert (arriving.status_code, arriving.json()["code"]) == (413, "file_too_large")
    assert "big.mp4 has more than 1 MiB" in arriving.json()["error"]
    assert await left_after_the_sweep(database, blobs)


async def test_a_request_that_declares_too_much_is_413_before_its_body(server: Server) -> None:
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), 5002 * MIB, Expect="100-continue"))

        async with asyncio.timeout(10):
            text = (await reader.readuntil(b"}")).decode()

    assert text.startswith("HTTP/1.1 413")
    assert "5,002 MiB" in text


async def test_odd_names_are_no_errors(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/jobs", **form(*((name, clip()) for name in NAMES)))

    assert answer.status_code == 202
    assert [file["name"] for file in answer.json()["files"]] == NAMES


async def test_numbers_of_variations_are_clamped_and_truncated(client: httpx.AsyncClient) -> None:
    for given, made in VARIATIONS.items():
        fields = {} if given is None else {"variations": given}

        answer = await client.post("/api/jobs", **form(("a.mp4", clip(100)), **fields))

        assert (answer.status_code, answer.json()["variationsPerVideo"]) == (202, made), given


async def test_a_client_that_leaves_at_any_of_50_random_bytes_leaves_nothing(
    server: Server, database: Database, blobs: Blobs
) -> None:
    chance = random.Random(50)
    body = wire.whole(VIDEO, wire.part("videos", clip(MIB), "big.mp4"), VIDEO)
    token = await server.log_in()
    places = [0, 1, len(body) - 1, *(chance.randrange(6000) for _ in range(15))]
    places += [chance.randrange(len(body)) for _ in range(50 - len(places))]

    for number, last in enumerate(places, 1):
        async with wire.connected(server.url) as (_, writer):
            writer.write(wire.head(token, len(body)) + body[:last])
            await writer.drain()

        async def over(number: int = number) -> bool:
            return server.ended.count("/api/jobs") == number

        await eventually(over)
    assert await left_after_the_sweep(database, blobs)
    assert server.woken == []
