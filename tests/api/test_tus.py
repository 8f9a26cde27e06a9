"""Uploads by tus 1.0: every call, and what it answers."""

import asyncio
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import uuid4

import httpx
import pytest

from api import wire
from api.conftest import Start, logged_in, nothing_is_left, rows
from api.tus_client import BYTES, TUS, begun, create, head, kept, named, offset, patch, patch_head, swept, used
from api.wire import MIB, clip
from conftest import eventually
from retake.blobs.bucket import Blobs
from retake.store.connect import Database
from retake.store.workspaces import ensure_workspace

pytestmark = pytest.mark.anyio

DATA = clip()


async def test_create(client: httpx.AsyncClient, database: Database) -> None:
    answer = await create(client, 5000)

    assert answer.status_code == 201
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Upload-Offset"] == "0"
    assert answer.headers["Location"] == f"/api/uploads/{answer.json()['id']}"
    left = parsedate_to_datetime(answer.headers["Upload-Expires"]) - datetime.now(UTC)
    assert 23 * 3600 < left.total_seconds() < 25 * 3600
    assert await rows(database, "SELECT bytes FROM storage") == [{"bytes": 5000}]


async def test_create_with_upload(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    part = await create(client, 5000, content=DATA[:2000], headers=BYTES)
    whole = await create(client, 5000, content=DATA, headers=BYTES)

    assert (part.status_code, part.headers["Upload-Offset"]) == (201, "2000")
    assert (await patch(client, part.headers["Location"], 2000, DATA[2000:])).headers["Upload-Offset"] == "5000"
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, "5000")
    assert await kept(database, blobs, part.headers["Location"]) == DATA
    assert await kept(database, blobs, whole.headers["Location"]) == DATA


async def test_head(client: httpx.AsyncClient) -> None:
    where = await begun(client, 5000, metadata=named("a.mp4") + ",filetype dmlkZW8vbXA0,private")
    await patch(client, where, 0, DATA[:10])

    answer = await head(client, where)

    assert answer.status_code == 200
    told = {name: answer.headers[name] for name in ("Upload-Offset", "Upload-Length", "Upload-Metadata")}
    assert told == {
        "Upload-Offset": "10", "Upload-Length": "5000",
        "Upload-Metadata": named("a.mp4") + ",filetype dmlkZW8vbXA0,private",
    }  # fmt: skip
    assert answer.headers["Cache-Control"] == "no-store"


async def test_patch(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    where = await begun(client, 5000)

    first, last = await patch(client, where, 0, DATA[:3000]), await patch(client, where, 3000, DATA[3000:])

    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "3000")
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, "5000")
    assert await kept(database, blobs, where) == DATA
    assert await rows(database, "SELECT state, size FROM source") == [{"state": "ready", "size": 5000}]


async def test_resume_after_the_connection_broke_on_another_replica(
    start: Start, database: Database, blobs: Blobs
) -> None:
    first, second = await start(), await start()
    data = clip() + random.Random(5).randbytes(MIB)
    async with logged_in(first) as client:
        where = await begun(client, len(data))
    async with wire.connected(first.url) as (_, writer):
        writer.write(patch_head(where, await first.log_in(), 0, len(data)) + data[:700_000])
        await writer.drain()

    async with logged_in(second) as client:

        async def something_is_stored() -> int:
            return await offset(client, where)

        reached = await eventually(something_is_stored)
        answer = await patch(client, where, reached, data[reached:])

    assert 0 < reached <= 700_000
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(len(data)))
    assert await kept(database, blobs, where) == data


async def test_wrong_offset(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    where = await begun(client, 5000)
    await patch(client, where, 0, DATA[:100])

    for wrong in (0, 99, 101, 5000):
        answer = await patch(client, where, wrong, b"x")
        assert (answer.status_code, answer.json()["code"]) == (409, "offset_moved"), wrong
    for unreadable in ("", "-1", "1e2", "abc", "9" * 30):
        answer = await patch(client, where, 0, b"x", **{"Upload-Offset": unreadable})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header"), unreadable

    assert await kept(database, blobs, where) == DATA[:100]


async def test_wrong_content_type(client: httpx.AsyncClient) -> None:
    where = await begun(client, 5000)

    for kind in ("video/mp4", "application/octet-stream", ""):
        answer = await patch(client, where, 0, DATA, **{"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (415, "not_bytes"), kind

    assert await offset(client, where) == 0


@pytest.mark.parametrize("given", [None, "0.2.2"], ids=["missing_tus_resumable", "unsupported_version"])
async def test_another_protocol_is_412_and_says_which_are_spoken(client: httpx.AsyncClient, given: str | None) -> None:
    where = await begun(client, 5000)
    headers = {} if given is None else {"Tus-Resumable": given}

    told = [
        await client.post("/api/uploads", headers={**headers, "Upload-Length": "10"}),
        await client.head(where, headers=headers),
        await client.patch(where, headers={**BYTES, "Tus-Resumable": given or "", "Upload-Offset": "0"}, content=DATA),
        await client.delete(where, headers=headers),
    ]

    for answer in told:
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0")
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert (told[0].json()["code"], await offset(client, where)) == ("tus_version", 0)


async def test_options(client: httpx.AsyncClient) -> None:
    answer = await client.options("/api/uploads")

    assert answer.status_code == 204
    assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == str(500 * MIB)
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "expiration", "termination",
    }  # fmt: skip


async def test_zero_length(client: httpx.AsyncClient, database: Database) -> None:
    empty_file = await create(client, 0)
    where = await begun(client, 5000)
    no_bytes = await patch(client, where, 0, b"")
    await patch(client, where, 0, DATA)
    none_after_the_last = await patch(client, where, 5000, b"")

    assert (empty_file.status_code, empty_file.json()["code"]) == (415, "not_a_video")
    assert "empty" in empty_file.json()["error"]
    assert (no_bytes.status_code, no_bytes.headers["Upload-Offset"]) == (204, "0")
    assert (none_after_the_last.status_code, none_after_the_last.headers["Upload-Offset"]) == (204, "5000")
    assert len(await rows(database, "SELECT FROM upload")) == 1


async def test_over_tus_max_size(client: httpx.AsyncClient, database: Database) -> None:
    fits, exceeds = await create(client, 500 * MIB), await create(client, 500 * MIB + 1)

    assert fits.status_code == 201
    assert (exceeds.status_code, exceeds.json()["code"], exceeds.json()["limit"]) == (413, "file_too_large", 500 * MIB)
    assert len(await rows(database, "SELECT FROM upload")) == 1


async def test_upload_defer_length_is_refused_as_are_all_extensions_that_are_not_announced(
    client: httpx.AsyncClient,
) -> None:
    where = await begun(client, 5000)
    told = [
        await client.post("/api/uploads", headers={**TUS, "Upload-Defer-Length": "1"}),
        await create(client, 10, headers={"Upload-Concat": "partial"}),
        await patch(client, where, 0, DATA, **{"Upload-Checksum": "sha1 xx"}),
    ]
    nothing_said = await client.post("/api/uploads", headers=TUS)

    for answer in told:
        assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_extension")
    assert (nothing_said.status_code, nothing_said.json()["code"]) == (400, "invalid_header")


async def test_two_writers_at_once(start: Start, database: Database, blobs: Blobs) -> None:
    """Each sends other bytes, through another replica: those of one are kept, whole, and the other is told."""
    servers = [await start(), await start()]
    sent = [clip(3 * MIB, seed) for seed in (1, 2)]
    async with logged_in(servers[0]) as one, logged_in(servers[1]) as other:
        where = await begun(one, 3 * MIB)

        answers = await asyncio.gather(
            *(patch(each, where, 0, data) for each, data in zip((one, other), sent, strict=True))
        )

        assert sorted(answer.status_code for answer in answers) == [204, 409]
        assert await kept(database, blobs, where) in sent
        assert await swept(database, blobs)


async def test_patch_beyond_the_length(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    where = await begun(client, 5000)
    await patch(client, where, 0, DATA[:4000])

    async def streamed():
        yield DATA[4000:]
        yield b"x"

    declared = await patch(client, where, 4000, DATA[4000:] + b"x")
    undeclared = await patch(client, where, 4000, streamed())

    for answer in (declared, undeclared):
        assert (answer.status_code, answer.json()["code"]) == (413, "beyond_the_end")
    assert await kept(database, blobs, where) == DATA[:4000]
    assert (await patch(client, where, 4000, DATA[4000:])).status_code == 204
    assert await kept(database, blobs, where) == DATA


async def test_terminate(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    where = await begun(client, 5000)
    await patch(client, where, 0, DATA[:2000])

    answer = await client.delete(where, headers=TUS)

    assert answer.status_code == 204
    assert await nothing_is_left(database, blobs)
    for after in (
        await head(client, where),
        await patch(client, where, 2000, b"x"),
        await client.delete(where, headers=TUS),
    ):
        assert after.status_code == 410
        assert "Upload-Offset" not in after.headers


async def test_expired(client: httpx.AsyncClient, database: Database) -> None:
    where = await begun(client, 5000)
    await patch(client, where, 0, DATA[:100])
    await rows(database, "UPDATE source SET touched_at = now() - interval '24 h' RETURNING 1")

    told = [await head(client, where), await patch(client, where, 100, DATA[100:])]
    job = await client.post("/api/jobs", json={"uploads": [where.rpartition("/")[2]]})

    assert [answer.status_code for answer in (*told, job)] == [410, 410, 410]
    assert told[1].json()["code"] == job.json()["code"] == "upload_gone"


async def test_not_yours(start: Start, database: Database) -> None:
    mine, theirs = await start(), await start(workspace=await ensure_workspace(database, "stranger"))
    async with logged_in(theirs) as client:
        where = await begun(client, 5000)
    nowhere = f"/api/uploads/{uuid4()}"

    async with logged_in(mine) as client:
        told = []
        for address in (where, nowhere, "/api/uploads/x", "/api/uploads/" + "9" * 5000):
            told += [
                await head(client, address),
                await patch(client, address, 0, DATA),
                await client.delete(address, headers=TUS),
            ]

    ignored = {"date", "x-request-id"}
    for n, answer in enumerate(told):
        same = told[n % 3]
        assert (answer.status_code, answer.content) == (404, same.content)
        assert [pair for pair in answer.headers.items() if pair[0] not in ignored] == [
            pair for pair in same.headers.items() if pair[0] not in ignored
        ]


NAMES = ["ملف.mp4", "Übung – größer.mp4", "🎬🔑.mp4", "a,b;c=d.mp4", "a" * 300 + ".mp4", "'q' \"q\".mp4"]
CLEANED = {"/home/me/a.mp4": "a.mp4", "C:\\videos\\a.mp4": "a.mp4", "a\x00b.mp4": "a_b.mp4", "": "video", "d/": "video"}


async def test_metadata_with_unicode(client: httpx.AsyncClient, database: Database) -> None:
    for name, kept_as in {**dict(zip(NAMES, NAMES, strict=True)), **CLEANED}.items():
        where = await begun(client, 10, metadata=named(name))
        assert await rows(database, "SELECT name FROM upload WHERE id = %s", where.rpartition("/")[2]) == [
            {"name": kept_as}
        ]
    await begun(client, 10, metadata=named("other.mp4", key="name"))
    assert len(await rows(database, "SELECT FROM upload WHERE name = 'other.mp4'")) == 1


async def test_chunk_of_1_byte(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    data = clip(60)
    where = await begun(client, len(data))

    for n in range(len(data)):
        assert (await patch(client, where, n, data[n : n + 1])).headers["Upload-Offset"] == str(n + 1)

    assert await kept(database, blobs, where) == data
    await used(client, where)
