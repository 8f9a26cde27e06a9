"""The COMMIT that makes a job, or its reply, is lost on the way: one job or none, and nothing of a job is deleted."""

import asyncio

import pytest

from api.commits import losing
from api.conftest import Start, form, logged_in, nothing_is_left, rows
from api.uploaded import uploaded
from api.wire import clip
from conftest import eventually
from retake.blobs.bucket import Blobs
from retake.settings import Postgres
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

KEY = {"Idempotency-Key": "spring clips"}


async def test_a_form_whose_commit_was_made_and_not_heard_of_is_looked_up_and_answered(
    start: Start, postgres: Postgres, database: Database, blobs: Blobs
) -> None:
    async with losing(postgres, "after") as (lossy, way):
        server = await start(database=lossy)
        async with logged_in(server) as client:
            answer = await client.post("/api/jobs", **form(("a.mp4", clip()), ("b.mp4", clip())))
            job = (await client.get(answer.headers["Location"])).json()

    assert way.cut == 1
    assert answer.status_code == 202
    assert [file["id"] for file in answer.json()["files"]] == [file["id"] for file in job["files"]]
    assert len(server.woken) == 1
    assert len([blob async for blob in blobs.listing()]) == 2
    assert len(await rows(database, "SELECT FROM source WHERE state = 'ready'")) == 2


async def test_a_form_whose_commit_is_late_is_answered_when_it_has_come(
    start: Start, postgres: Postgres, database: Database, blobs: Blobs
) -> None:
    """Who looked before would find no job, and delete its bytes."""
    async with losing(postgres, "late") as (lossy, way), logged_in(await start(database=lossy)) as client:
        sending = asyncio.create_task(client.post("/api/jobs", **form(("a.mp4", clip()))))
        await eventually(lambda: rows(database, "SELECT FROM pg_locks WHERE NOT granted"))
        way.arrive.set()
        answer = await sending

    assert answer.status_code == 202
    [job] = await rows(database, "SELECT id FROM job")
    assert answer.json()["jobId"] == str(job["id"])
    assert len([blob async for blob in blobs.listing()]) == 1


async def test_a_form_whose_commit_was_not_made_is_503_and_leaves_nothing(
    start: Start, postgres: Postgres, database: Database, blobs: Blobs
) -> None:
    async with losing(postgres, "before") as (lossy, way), logged_in(await start(database=lossy)) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip())))

    assert way.cut == 1
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert await nothing_is_left(database, blobs)


@pytest.mark.parametrize("lost", ["before", "after", "late"])
async def test_uploads_under_a_key_are_one_job_when_the_request_is_sent_again(
    start: Start, postgres: Postgres, database: Database, blobs: Blobs, lost: str
) -> None:
    request = {"json": {"uploads": [str(await uploaded(database, blobs))]}, "headers": KEY}
    async with losing(postgres, lost) as (lossy, way), logged_in(await start(database=lossy)) as client:
        sending = asyncio.create_task(client.post("/api/jobs", **request))
        if lost == "late":
            await eventually(lambda: rows(database, "SELECT FROM pg_locks WHERE NOT granted"))
            way.arrive.set()
        first, second = await sending, await client.post("/api/jobs", **request)
        third = await client.post("/api/jobs", **request)

    assert way.cut == 1
    assert (first.status_code, first.json()["code"]) == (503, "database_unavailable")
    assert second.status_code == third.status_code == 202
    assert second.content == third.content
    [job] = await rows(database, "SELECT id FROM job")
    assert second.json()["jobId"] == str(job["id"])
    assert len([blob async for blob in blobs.listing()]) == 1


async def test_without_a_key_whoever_asks_again_is_told_the_job(
    start: Start, postgres: Postgres, database: Database, blobs: Blobs
) -> None:
    request = {"json": {"uploads": [str(await uploaded(database, blobs))]}}
    async with losing(postgres, "after") as (lossy, _), logged_in(await start(database=lossy)) as client:
        first, second = await client.post("/api/jobs", **request), await client.post("/api/jobs", **request)

    assert (first.status_code, second.status_code, second.json()["code"]) == (503, 409, "upload_used")
    [job] = await rows(database, "SELECT id FROM job")
    assert second.json()["jobId"] == str(job["id"])
