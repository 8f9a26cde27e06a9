"""POST /api/jobs that is refused or never ends: the right status, a clear sentence, and nothing left."""

import asyncio

import httpx
import pytest

from api import wire
from api.conftest import Server, Start, form, logged_in, nothing_is_left
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

GOOD = wire.part("videos", clip(), "good.mp4")
OTHER_TYPES = {
    "text": (b"This is no video at all.\n" * 100, "text"),
    "playlist": (b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://169.254.169.254/secret\n", "playlist"),
    "empty": (b"", "empty"),
    "matroska": (b"\x1a\x45\xdf\xa3" + b"\x00" * 2000, "Matroska"),
    "picture": (b"\xff\xd8\xff\xe0" + b"\x00" * 2000, "picture"),
    "zeros": (b"\x00" * 5000, "not a video"),
}


async def test_what_is_no_video_by_its_content_is_415_and_takes_the_others_with_it(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    for kind, (data, word) in OTHER_TYPES.items():
        answer = await client.post("/api/jobs", **form(("good.mp4", clip()), ("bad.mp4", data), ("more.mp4", clip())))

        told = answer.json()
        assert (answer.status_code, told["code"]) == (415, "not_a_video"), kind
        assert told["error"].startswith("bad.mp4: ")
        assert word in told["error"]
        assert await nothing_is_left(database, blobs)


async def test_what_a_setting_adds_is_taken_by_its_bytes_and_nothing_else_is(start: Start) -> None:
    mkv, avi = OTHER_TYPES["matroska"][0], b"RIFF\x00\x00\x00\x01AVI LIST" + bytes(2000)
    async with logged_in(await start(limits={"more_types": ("mkv", "webm")})) as client:
        taken = await client.post("/api/jobs", **form(("a.mp4", mkv)))
        refused = await client.post("/api/jobs", **form(("a.mkv", avi)))

    assert taken.status_code == 202
    assert (refused.status_code, refused.json()["found"]) == (415, "avi")


BROKEN = {
    "no parts": (wire.whole(), 400, "no_videos"),
    "nothing": (b"", 400, "invalid_form"),
    "only fields": (wire.whole(wire.part("variations", b"3")), 400, "no_videos"),
    "unused file input": (wire.whole(wire.part("videos", b"", "")), 400, "no_videos"),
    "a field that is none": (wire.whole(GOOD, wire.part("speed", b"2")), 400, "unknown_field"),
    "a file in a field that is none": (wire.whole(wire.part("file", clip(), "a.mp4")), 400, "unknown_field"),
    "a video that is no file": (wire.whole(wire.part("videos", b"a.mp4")), 400, "not_a_file"),
    "no end": (GOOD, 400, "invalid_form"),
    "no end of a video": (GOOD[:-2000], 400, "invalid_form"),
    "another boundary": (wire.whole(GOOD).replace(b"b0undary", b"another"), 400, "invalid_form"),
    "no disposition": (wire.whole(b"--b0undary\r\nContent-Type: video/mp4\r\n\r\nx\r\n"), 400, "invalid_form"),
    "a name that is no UTF-8": (wire.whole(GOOD.replace(b"good", b"g\xff\xfe")), 400, "invalid_form"),
    "a name of 5000 letters": (wire.whole(wire.part("videos", clip(), "a" * 5000)), 400, "invalid_form"),
    "variations twice": (wire.whole(GOOD, *[wire.part("variations", b"3")] * 2), 422, "repeated_field"),
    "too long a field": (wire.whole(GOOD, wire.part("options", b" " * 70_000)), 413, "field_too_large"),
    "options that are no JSON": (wire.whole(GOOD, wire.part("options", b"{seed: 1}")), 422, "invalid_options"),
    "options that are no object": (wire.whole(GOOD, wire.part("options", b"[1]")), 422, "invalid_options"),
    "an option that is none": (wire.whole(GOOD, wire.part("options", b'{"sepia": "x"}')), 422, "unknown_option"),
    "a preset that is none": (wire.whole(GOOD, wire.part("options", b'{"preset": "x"}')), 422, "invalid_options"),
    "two numbers of takes": (
        wire.whole(GOOD, wire.part("variations", b"2"), wire.part("options", b'{"recipes": [{"effects": []}]}')),
        422,
        "invalid_variations",
    ),
    "a seed in words": (wire.whole(GOOD, wire.part("options", b'{"seed": "x"}')), 422, "invalid_options"),
    "half a letter in a name": (wire.whole(GOOD, wire.part("options", b'{"name": "\\ud800"}')), 422, "invalid_options"),
}


async def test_a_form_that_is_wrong_is_refused_whole(
    server: Server, client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    for what, (body, status, code) in BROKEN.items():
        answer = await client.post("/api/jobs", content=body, headers=wire.TYPE)

        told = answer.json()
        assert (answer.status_code, told["code"]) == (status, code), what
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert told["error"][0].isupper()
        assert told["error"].endswith(".")
        assert server.woken == []
        assert await nothing_is_left(database, blobs)


async def test_whom_to_tell_is_refused_where_nobody_is_told(start: Start, database: Database, blobs: Blobs) -> None:
    async with logged_in(await start(webhooks=False)) as client:
        options = '{"callbackUrl": "https://example.org/told"}'
        answer = await client.post("/api/jobs", **form(("a.mp4", clip()), options=options))

    assert (answer.status_code, answer.json()["code"]) == (422, "no_webhooks")
    assert "RETAKE_WEBHOOK_SECRET" in answer.json()["error"]
    assert await nothing_is_left(database, blobs)


async def test_an_option_that_is_none_is_named_with_those_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/jobs", **form(("a.mp4", clip()), options='{"seed": 1, "haltOnErrors": true}'))

    told = answer.json()
    assert "haltOnErrors" in told["error"]
    assert told["allowed"] == [
        "callbackUrl",
        "effects",
        "keepSource",
        "name",
        "preset",
        "priority",
        "profile",
        "recipes",
        "seed",
    ]


async def test_what_is_no_form_is_refused_before_its_body(client: httpx.AsyncClient) -> None:
    for kind, status, code in (
        ("multipart/form-data", 400, "no_boundary"),
        ("multipart/form-data; boundary=", 400, "no_boundary"),
        ("multipart/form-data; boundary=" + "x" * 300, 400, "no_boundary"),
        ("multipart/mixed; boundary=b0undary", 415, "unknown_content_type"),
        ("application/json", 400, "invalid_json"),
        ("application/x-www-form-urlencoded", 415, "unknown_content_type"),
        ("", 415, "unknown_content_type"),
    ):
        answer = await client.post("/api/jobs", content=wire.whole(GOOD), headers={"Content-Type": kind})

        assert (answer.status_code, answer.json()["code"]) == (status, code), kind


async def test_a_request_larger_than_the_limit_is_413(start: Start, database: Database, blobs: Blobs) -> None:
    async with logged_in(await start(limits={"request_mib": 1})) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip(MIB))))

    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")
    assert await nothing_is_left(database, blobs)


async def test_a_file_too_large_is_refused_while_it_arrives(start: Start, database: Database, blobs: Blobs) -> None:
    server = await start(limits={"file_mib": 10})
    body = wire.part("videos", clip(), "big.mp4")[:-2]
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), 400 * MIB) + body + b"x" * (11 * MIB))

        async with asyncio.timeout(10):
            text = (await reader.readuntil(b"}")).decode()

    assert text.startswith("HTTP/1.1 413")
    assert "big.mp4" in text
    assert "connection: close" in text.lower()
    assert await nothing_is_left(database, blobs)


async def test_storage_that_is_full_is_507_with_both_figures(start: Start, database: Database, blobs: Blobs) -> None:
    async with logged_in(await start(storage={"cap_mib": 10})) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip(2 * MIB)), variations="5"))

    told = answer.json()
    assert (answer.status_code, told["code"]) == (507, "storage_full")
    assert (told["needed"], told["free"]) == (11 * MIB, 8 * MIB)
    assert await nothing_is_left(database, blobs)


async def test_no_length_of_wrong_form_is_an_error_of_ours(client: httpx.AsyncClient, server: Server) -> None:
    token = await server.log_in()
    for length in ("-1", "abc", "1e3", "99999999999999999999"):
        async with wire.connected(server.url) as (reader, writer):
            writer.write(wire.head(token, None, Content_Length=length))
            status, _ = await wire.answer(reader)
        assert status in (400, 413), length
