"""Idempotency-Key: the same request, sent again however the first time ended, makes one job."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api import wire
from api.conftest import Server, Start, form, logged_in, rows
from api.process import crashing
from api.uploaded import uploaded
from api.wire import clip
from conftest import eventually
from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.settings import Bucket
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

KEY = {"Idempotency-Key": "spring clips"}
SHORT = replace(Timing(), key_lease=0.3)
BODY = wire.whole(wire.part("variations", b"2"), wire.part("videos", clip(), "a.mp4"))
HALF = len(BODY) // 2


async def send(client: httpx.AsyncClient, **changed: Any) -> httpx.Response:
    request = {"name": "a.mp4", "data": clip(), "variations": "2", "options": '{"seed": 1}', "key": KEY, **changed}
    fields = {field: request[field] for field in ("variations", "options")}
    return await client.post("/api/jobs", **form((request["name"], request["data"]), **fields), headers=request["key"])


async def jobs(database: Database) -> int:
    return len(await rows(database, "SELECT FROM job"))


async def send_body(client: httpx.AsyncClient) -> httpx.Response:
    """The request whose body is BODY."""
    return await client.post("/api/jobs", content=BODY, headers={**wire.TYPE, **KEY})


async def sent_until_answered(client: httpx.AsyncClient) -> httpx.Response:
    """Again and again while another is in flight."""

    async def answered() -> httpx.Response | None:
        answer = await send_body(client)
        return None if answer.status_code == 409 else answer

    found = await eventually(answered)
    assert found is not None
    return found


@asynccontextmanager
async def half_sent(server: Server) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """The same request, of which the second half has not come yet."""
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(await server.log_in(), len(BODY), Connection="close", Idempotency_Key="spring clips"))
        writer.write(BODY[:HALF])
        await writer.drain()
        yield reader, writer


async def in_flight(database: Database) -> list[dict[str, Any]]:
    return await rows(database, "SELECT lease_until FROM idempotency WHERE answer IS NULL")


async def test_the_same_request_is_answered_the_same_and_stores_nothing(
    server: Server, client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    first = await send(client)
    before = [blob.key async for blob in blobs.listing()]

    second = await send(client)

    assert first.status_code == second.status_code == 202
    assert first.content == second.content
    assert first.headers["Location"] == second.headers["Location"]
    assert await jobs(database) == 1
    assert [blob.key async for blob in blobs.listing()] == before
    assert len(await rows(database, "SELECT FROM source")) == 1
    assert len(server.woken) == 1


@pytest.mark.parametrize(
    "changed",
    [{"name": "b.mp4"}, {"data": clip(seed=2)}, {"data": clip(5001)}, {"variations": "3"}, {"options": '{"seed": 2}'}],
    ids=["name", "bytes", "size", "variations", "options"],
)
async def test_another_request_under_a_used_key_is_422(
    client: httpx.AsyncClient, database: Database, changed: dict[str, Any]
) -> None:
    await send(client)

    answer = await send(client, **changed)

    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert await jobs(database) == 1


async def test_without_a_key_and_under_another_every_request_is_a_job_of_its_own(
    client: httpx.AsyncClient, database: Database
) -> None:
    answers = [await send(client, key=key) for key in ({}, {}, KEY, {"Idempotency-Key": "other"})]

    assert [answer.status_code for answer in answers] == [202] * 4
    assert await jobs(database) == 4


async def test_a_key_is_remembered_for_24_hours(client: httpx.AsyncClient, database: Database) -> None:
    await send(client)
    await rows(
        database, "UPDATE idempotency SET created_at = now() - interval '1 day', lease_until = now() RETURNING key"
    )

    answer = await send(client, name="b.mp4")

    assert answer.status_code == 202
    assert await jobs(database) == 2


async def test_while_one_is_in_flight_the_others_are_told_to_wait(
    server: Server, client: httpx.AsyncClient, database: Database
) -> None:
    async with half_sent(server) as (reader, writer):
        await eventually(lambda: in_flight(database))
        early = await send_body(client)
        writer.write(BODY[HALF:])
        status, text = await wire.answer(reader)
    late = await send_body(client)

    assert (early.status_code, early.json()["code"]) == (409, "request_in_flight")
    assert int(early.headers["Retry-After"]) > 0
    assert (status, late.status_code) == (202, 202)
    assert late.text in text
    assert await jobs(database) == 1


async def test_a_refused_request_gives_its_key_back(client: httpx.AsyncClient) -> None:
    refused = await send(client, data=b"no video")

    answer = await send(client)

    assert (refused.status_code, answer.status_code) == (415, 202)


async def test_a_client_that_leaves_gives_its_key_back(
    server: Server, client: httpx.AsyncClient, database: Database
) -> None:
    async with half_sent(server):
        await eventually(lambda: in_flight(database))

    answer = await sent_until_answered(client)

    assert answer.status_code == 202
    assert await jobs(database) == 1


async def test_bytes_that_come_keep_the_key(start: Start, database: Database) -> None:
    server = await start(timing=SHORT)
    async with half_sent(server) as (_, writer):
        [before] = await eventually(lambda: in_flight(database))
        rest = iter(BODY[HALF:])

        async def renewed() -> bool:
            writer.write(bytes([next(rest)]))
            await writer.drain()
            [now] = await in_flight(database)
            return now["lease_until"] > before["lease_until"]

        assert await eventually(renewed)


async def test_an_attempt_that_stalls_is_taken_over_and_makes_no_job(start: Start, database: Database) -> None:
    server = await start(timing=SHORT)
    async with logged_in(server) as client, half_sent(server) as (reader, writer):
        await eventually(lambda: in_flight(database))

        answer = await sent_until_answered(client)
        writer.write(BODY[HALF:])
        status, text = await wire.answer(reader)

    assert answer.status_code == 202
    assert (status, "request_in_flight" in text) == (409, True)
    assert await jobs(database) == 1


class Held(Blobs):
    """Puts nothing before it is told to."""

    told: asyncio.Event

    async def put(self, key: str, data: bytes) -> None:
        await self.told.wait()
        await super().put(key, data)


async def test_an_attempt_that_is_too_late_answers_as_the_one_that_took_over(
    start: Start, database: Database, bucket: Bucket
) -> None:
    slow = Held(bucket, threads=2, timeout=10)
    slow.told = asyncio.Event()
    async with logged_in(await start(timing=SHORT, blobs=slow)) as stuck, logged_in(await start(timing=SHORT)) as other:
        first = asyncio.create_task(send_body(stuck))
        await eventually(lambda: in_flight(database))
        second = await sent_until_answered(other)
        slow.told.set()
        late = await first
    slow.close()

    assert (late.status_code, second.status_code) == (202, 202)
    assert late.content == second.content
    assert await jobs(database) == 1
    assert len(await rows(database, "SELECT FROM source WHERE state <> 'gone'")) == 1


async def test_uploads_under_a_key_become_one_job(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    one, two = [str(await uploaded(database, blobs)) for _ in range(2)]

    first = await client.post("/api/jobs", json={"uploads": [one], "variations": 3}, headers=KEY)
    again = await client.post("/api/jobs", json={"variations": 3, "uploads": [one]}, headers=KEY)
    other = await client.post("/api/jobs", json={"uploads": [two], "variations": 3}, headers=KEY)

    assert first.status_code == again.status_code == 202
    assert first.content == again.content
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert await jobs(database) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "Schlüssel", "a\tb"])
async def test_what_is_no_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    answer = await send(client, key={"Idempotency-Key": key.encode()})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_key")


async def test_however_far_an_api_came_that_was_killed_the_same_request_makes_one_job(
    start: Start, database: Database, environment: dict[str, str]
) -> None:
    healthy = await start(timing=SHORT)
    token = {"Authorization": f"Bearer {await healthy.log_in()}"}
    killed = 0
    async with (
        crashing(environment, SHORT.key_lease) as (address, apis),
        httpx.AsyncClient(timeout=20, headers=token) as client,
    ):
        while apis.returncode is None:
            name, key = f"{killed}.mp4", {"Idempotency-Key": str(killed)}
            request = {**form((name, clip()), variations="1"), "headers": key}
            try:
                assert (await client.post(f"{address}/api/jobs", **request)).status_code == 202
                break
            except httpx.TransportError:
                assert apis.returncode is None
                killed += 1

            async def answered(request: dict[str, Any] = request) -> httpx.Response | None:
                answer = await client.post(f"{healthy.url}/api/jobs", **request)
                return None if answer.status_code == 409 else answer

            answer = await eventually(answered)
            made = await rows(database, "SELECT job_id FROM video WHERE name = %s", name)
            assert [str(one["job_id"]) for one in made] == [answer.json()["jobId"]]

    assert killed >= 16
