"""Uploads by tus that are refused: the right status, a clear sentence, and nothing stored."""

from uuid import uuid4

import httpx
import pytest

from api.conftest import Server, Start, logged_in, nothing_is_left, rows
from api.tus_client import BYTES, TUS, begun, create, head, named, patch, used
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

DATA = clip()


async def test_used(client: httpx.AsyncClient) -> None:
    where = await begun(client, 5000)
    await patch(client, where, 0, DATA)
    job = await used(client, where)

    told = [await head(client, where), await patch(client, where, 5000, b""), await client.delete(where, headers=TUS)]

    assert [answer.status_code for answer in told] == [410, 410, 410]
    assert told[1].json()["jobId"] == job


async def test_metadata_that_cannot_be_read_is_400(client: httpx.AsyncClient) -> None:
    for metadata in ("filename %%%", named(b"\xff\xfe"), "filename YQ==,filename YQ==", ",", "x" * 5000):
        answer = await create(client, 10, metadata=metadata)

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_metadata"), metadata


async def test_what_is_no_video_is_415_at_its_first_kilobyte_however_it_comes(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    text = b"#EXTM3U\nhttp://169.254.169.254/secret\n" + b"#\n" * 3000
    at_once, later = await begun(client, len(text)), await begun(client, len(text))
    small = await begun(client, 40)

    told = [await patch(client, at_once, 0, text)]
    stored = [await patch(client, later, n * 400, text[n * 400 : n * 400 + 400]) for n in range(2)]
    told += [await patch(client, later, 800, text[800:]), await patch(client, small, 0, text[:40])]
    told.append(await create(client, len(text), content=text, headers=BYTES))

    assert [answer.status_code for answer in stored] == [204, 204]
    for answer in told:
        assert (answer.status_code, answer.json()["code"]) == (415, "not_a_video")
        assert "playlist" in answer.json()["error"]
    assert (await head(client, later)).status_code == 410
    assert await nothing_is_left(database, blobs)


async def test_storage_that_is_full_is_507_before_a_byte_is_sent(start: Start, database: Database) -> None:
    async with logged_in(await start(storage={"cap_mib": 1})) as client:
        await begun(client, MIB - 100)
        answer = await create(client, 101)

    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert (answer.json()["needed"], answer.json()["free"]) == (101, 100)


async def test_uploads_that_nobody_uses_are_bounded_and_another_is_told_to_come_later(start: Start) -> None:
    async with logged_in(await start(limits={"queue_videos": 3})) as client:
        ended, finished, _ = [await begun(client, 5000) for _ in range(3)]
        await patch(client, finished, 0, DATA)
        refused = await create(client, 5000)
        await client.delete(ended, headers=TUS)
        await used(client, finished)
        told = [await create(client, 5000) for _ in range(3)]

    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (429, "queue_full", 3)
    assert int(refused.headers["Retry-After"]) > 0
    assert "3 uploads" in refused.json()["error"]
    assert [answer.status_code for answer in told] == [201, 201, 429]


async def test_without_a_token_it_is_401(server: Server) -> None:
    told = [
        await server.client.post("/api/uploads", headers={**TUS, "Upload-Length": "1"}),
        await server.client.options("/api/uploads"),
        await server.client.patch(f"/api/uploads/{uuid4()}", headers=BYTES),
    ]

    assert [answer.status_code for answer in told] == [401, 401, 401]


async def test_bytes_that_come_with_the_beginning_and_do_not_fit_begin_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    too_much = await create(client, 10, content=DATA, headers=BYTES)
    untyped = await create(client, 5000, content=DATA)

    assert (too_much.status_code, untyped.status_code) == (413, 415)
    assert await rows(database, "SELECT FROM upload") == []
