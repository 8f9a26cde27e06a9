"""POST /api/jobs with a form: what is taken, and exactly how it is kept."""

import hashlib
import random
from datetime import timedelta

import httpx
import pytest

from api import wire
from api.conftest import Server, Start, form, logged_in, rows
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.blobs.keys import SourceChunk, parse
from retake.store.connect import Database

pytestmark = pytest.mark.anyio


async def stored(database: Database, blobs: Blobs, name: str) -> bytes:
    """The bytes of a video's source, chunk by chunk, each checked against its row."""
    chunks = await rows(
        database,
        """
        SELECT c.* FROM chunk c JOIN video v ON v.source_id = c.source_id JOIN source s ON s.id = v.source_id
        WHERE v.name = %s AND s.state = 'ready' ORDER BY c.n
        """,
        name,
    )
    data = b""
    for n, chunk in enumerate(chunks):
        piece = await blobs.get(chunk["key"])
        assert (chunk["n"], chunk["start"], chunk["size"], chunk["state"]) == (n, len(data), len(piece), "done")
        assert chunk["sha256"] == hashlib.sha256(piece).hexdigest()
        named = parse(chunk["key"])
        assert isinstance(named, SourceChunk)
        assert named.n == n
        data += piece
    return data


async def test_two_videos_become_a_job(server: Server, client: httpx.AsyncClient, database: Database) -> None:
    answer = await client.post("/api/jobs", **form(("a.mp4", clip()), ("b.mov", clip(70)), variations="3"))

    told = answer.json()
    assert answer.status_code == 202
    assert set(told) == {"jobId", "status", "files", "variationsPerVideo", "totalVariations", "statusUrl"}
    assert [(file["name"], file["size"]) for file in told["files"]] == [("a.mp4", 5000), ("b.mov", 70)]
    assert (told["status"], told["variationsPerVideo"], told["totalVariations"]) == ("queued", 3, 6)
    assert answer.headers["Location"] == told["statusUrl"] == f"/api/jobs/{told['jobId']}"
    assert (await client.get(told["statusUrl"])).json()["jobId"] == told["jobId"]
    [parts] = await rows(database, "SELECT count(*) FROM part WHERE kind = 'inspect' AND state = 'queued'")
    assert parts["count"] == 2
    assert len(server.woken) == 1


async def test_a_job_is_kept_as_long_as_was_set_when_it_was_accepted(start: Start, database: Database) -> None:
    async with logged_in(await start(storage={"hours": 1.5})) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip())))

    assert answer.status_code == 202
    assert await rows(database, "SELECT retention FROM job") == [{"retention": timedelta(minutes=90)}]


async def test_bytes_are_kept_as_they_came(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    data = clip() + random.Random(4).randbytes(17 * MIB + 123)

    answer = await client.post("/api/jobs", **form(("big.mp4", data)))

    assert answer.status_code == 202
    assert answer.json()["files"][0]["size"] == len(data)
    assert await stored(database, blobs, "big.mp4") == data
    sizes = await rows(database, "SELECT size FROM chunk ORDER BY n")
    assert [row["size"] for row in sizes[:2]] == [8 * MIB, 8 * MIB]


async def test_bytes_that_look_like_the_end_are_kept(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    tricky = b"\r\n--" + wire.BOUNDARY.encode()[:-1] + b"\r\n\r\n--\r--" + b"\r\n" * 50
    data = clip() + tricky * 200
    body = wire.whole(wire.part("videos", data, "a.mp4"))

    answer = await client.post("/api/jobs", content=body, headers=wire.TYPE)

    assert answer.status_code == 202
    assert await stored(database, blobs, "a.mp4") == data


async def test_little_buffer_makes_small_chunks_and_the_same_bytes(
    start: Start, database: Database, blobs: Blobs
) -> None:
    data = clip() + random.Random(5).randbytes(5 * MIB)
    async with logged_in(await start(limits={"buffer_mib": 0})) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", data)))

    assert answer.status_code == 202
    assert await stored(database, blobs, "a.mp4") == data
    assert {row["size"] for row in await rows(database, "SELECT size FROM chunk WHERE start < %s", 5 * MIB)} == {2**17}


NAMES = [
    "ملف.mp4", "Übung – größer.mp4", "🎬🔑.mp4", "a" * 300 + ".mp4", "a,b;c=d.mp4", "100%25.mp4", "'q' \"q\".mp4",
    "  .mp4", "..",
]  # fmt: skip


async def test_names_are_kept_whatever_they_are_written_in(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/jobs", **form(*((name, clip()) for name in NAMES)))

    assert answer.status_code == 202
    assert [file["name"] for file in answer.json()["files"]] == NAMES
    assert (await client.get("/api/jobs")).json()[0]["fileNames"] == NAMES
    detail = (await client.get(answer.headers["Location"])).json()
    assert [file["name"] for file in detail["files"]] == NAMES


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("/home/me/a.mp4", "a.mp4"),
        ("C:\\\\videos\\\\a.mp4", "a.mp4"),
        ("a\x00b.mp4", "a_b.mp4"),
        ("a\tb.mp4", "a_b.mp4"),
        ("", "video"),
        ("folder/", "video"),
    ],
)
async def test_folders_and_unprintable_letters_are_no_part_of_a_name(
    client: httpx.AsyncClient, sent: str, kept: str
) -> None:
    answer = await client.post("/api/jobs", content=wire.whole(wire.part("videos", clip(), sent)), headers=wire.TYPE)

    assert answer.status_code == 202, answer.text
    assert answer.json()["files"][0]["name"] == kept


async def test_the_long_form_of_a_name_counts(client: httpx.AsyncClient) -> None:
    body = wire.whole(wire.part("videos", clip(), "plain.mp4", more="; filename*=UTF-8''%C3%9Cbung.mp4"))

    answer = await client.post("/api/jobs", content=body, headers=wire.TYPE)

    assert answer.json()["files"][0]["name"] == "Übung.mp4"


async def test_files_of_the_same_name_stay_apart(client: httpx.AsyncClient, database: Database) -> None:
    answer = await client.post("/api/jobs", **form(*(("same.mp4", clip(2000 + n)) for n in range(3))))

    files = answer.json()["files"]
    assert [file["name"] for file in files] == ["same.mp4"] * 3
    assert [file["size"] for file in files] == [2000, 2001, 2002]
    assert len({file["id"] for file in files}) == 3
    assert len(await rows(database, "SELECT DISTINCT source_id FROM video")) == 3


async def test_what_stands_before_and_after_the_form_is_skipped(client: httpx.AsyncClient) -> None:
    body = (
        b"This is a form.\r\n" + wire.whole(wire.part("videos", clip(), "a.mp4")) + b"The end.\r\n--" + b"x" * 200_000
    )

    answer = await client.post("/api/jobs", content=body, headers=wire.TYPE)

    assert answer.status_code == 202


async def test_the_form_may_come_byte_by_byte(server: Server, client: httpx.AsyncClient) -> None:
    body = wire.whole(wire.part("variations", b"2"), wire.part("videos", clip(600), "a.mp4"))
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), len(body), Connection="close"))
        for n in range(len(body)):
            writer.write(body[n : n + 1])
            await writer.drain()

        status, text = await wire.answer(reader)

    assert status == 202, text


async def test_fields_may_stand_after_the_videos(client: httpx.AsyncClient, database: Database) -> None:
    body = wire.whole(
        wire.part("videos", clip(), "a.mp4"),
        wire.part("variations", b"7"),
        wire.part("options", '{"seed": 42, "name": "Söckchen"}'.encode()),
    )

    answer = await client.post("/api/jobs", content=body, headers=wire.TYPE)

    assert answer.json()["variationsPerVideo"] == 7
    [job] = await rows(database, "SELECT seed, options, variations FROM job")
    assert job == {"seed": 42, "options": {"seed": 42, "name": "Söckchen"}, "variations": 7}
    assert (await client.get("/api/jobs")).json()[0]["name"] == "Söckchen"


async def test_without_fields_there_are_five_variations_of_a_random_seed(
    client: httpx.AsyncClient, database: Database
) -> None:
    for _ in range(2):
        answer = await client.post("/api/jobs", **form(("a.mp4", clip())))
        assert answer.json()["variationsPerVideo"] == 5

    seeds = [row["seed"] for row in await rows(database, "SELECT seed FROM job")]
    assert len(set(seeds)) == 2
    assert all(0 <= seed < 2**53 for seed in seeds)


async def test_a_file_input_nobody_used_is_no_file(client: httpx.AsyncClient) -> None:
    body = wire.whole(wire.part("videos", b"", ""), wire.part("videos", clip(), "a.mp4"), wire.part("options", b""))

    answer = await client.post("/api/jobs", content=body, headers=wire.TYPE)

    assert [file["name"] for file in answer.json()["files"]] == ["a.mp4"]


async def test_the_ledger_counts_sources_and_what_the_takes_may_need(
    client: httpx.AsyncClient, database: Database
) -> None:
    await client.post("/api/jobs", **form(("a.mp4", clip(10_000)), variations="2"))

    [ledger] = await rows(database, "SELECT bytes FROM storage")
    assert ledger["bytes"] == 10_000 + 22_000


async def test_a_file_of_exactly_the_limit_is_taken(start: Start) -> None:
    async with logged_in(await start(limits={"file_mib": 1})) as client:
        fits = await client.post("/api/jobs", **form(("a.mp4", clip(MIB))))
        exceeds = await client.post("/api/jobs", **form(("a.mp4", clip(MIB + 1))))

    assert fits.status_code == 202
    assert (exceeds.status_code, exceeds.json()["code"]) == (413, "file_too_large")


async def test_expecting_to_be_invited_is_answered(server: Server) -> None:
    body = wire.whole(wire.part("videos", clip(), "a.mp4"))
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), len(body), Expect="100-continue", Connection="close"))
        invited = await reader.readuntil(b"\r\n\r\n")
        writer.write(body)

        status, _ = await wire.answer(reader)

    assert invited.startswith(b"HTTP/1.1 100")
    assert status == 202
