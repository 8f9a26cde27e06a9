"""POST /api/jobs with `fromFiles`: more takes of a video that came before, while its bytes are kept."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.acting import finish, submit
from api.conftest import Start, logged_in, rows
from retake.blobs.bucket import Blobs
from retake.store.connect import Database
from retake.store.sources import sweep_source
from retake.store.workspaces import ensure_workspace

pytestmark = pytest.mark.anyio


def files_of(*told: dict[str, Any]) -> list[dict[str, str]]:
    return [{"jobId": job["jobId"], "fileId": file["id"]} for job in told for file in job["files"]]


async def more(client: httpx.AsyncClient, *told: dict[str, Any], **fields: Any) -> httpx.Response:
    return await client.post("/api/jobs", json={"fromFiles": files_of(*told), **fields})


async def test_more_takes_share_the_source_and_copy_no_byte(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    first = await submit(client, "Übung.mp4", "b.mp4", variations="1")
    before = [blob.key async for blob in blobs.listing()]
    [ledger] = await rows(database, "SELECT bytes FROM storage")

    answers = [await more(client, first, variations=3, options={"name": "again"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    told = answers[0].json()
    assert [(file["name"], file["size"]) for file in told["files"]] == [("Übung.mp4", 5000), ("b.mp4", 5000)]
    assert told["totalVariations"] == 6
    job = (await client.get(told["statusUrl"])).json()
    assert (job["name"], job["status"], len(job["files"])) == ("again", "queued", 2)
    assert [blob.key async for blob in blobs.listing()] == before
    assert len(await rows(database, "SELECT DISTINCT source_id FROM video")) == 2
    [now] = await rows(database, "SELECT bytes FROM storage")
    assert now["bytes"] - ledger["bytes"] == 2 * 2 * 3 * 5500


async def test_files_of_several_jobs_become_one(client: httpx.AsyncClient) -> None:
    one, two = await submit(client, "one.mp4"), await submit(client, "two.mp4")

    answer = await more(client, two, one)

    assert [file["name"] for file in answer.json()["files"]] == ["two.mp4", "one.mp4"]


async def test_a_source_is_kept_until_the_last_of_its_jobs_is_done(
    client: httpx.AsyncClient, database: Database
) -> None:
    first = await submit(client, "a.mp4", variations="1")
    second = (await more(client, first, variations=1)).json()
    await finish(database)
    await client.delete(first["statusUrl"])

    assert await sweep_source(database) is None
    third = await more(client, second, variations=1)
    await finish(database)
    await finish(database)
    assert await sweep_source(database)
    late = await more(client, second, variations=1)

    assert third.status_code == 202
    assert (late.status_code, late.json()["code"]) == (409, "source_gone")
    [file] = (await client.get(second["statusUrl"])).json()["files"]
    assert file["sourceKept"] is False
    assert late.json()["fileId"] == second["files"][0]["id"]


async def test_a_source_that_is_to_be_kept_is_kept_when_all_is_done(
    client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "a.mp4", variations="1", options='{"keepSource": true}')
    await finish(database)

    assert await sweep_source(database) is None
    assert (await more(client, told)).status_code == 202


async def test_a_file_that_is_not_ours_is_as_unknown_as_one_that_never_was(
    start: Start, client: httpx.AsyncClient, database: Database
) -> None:
    ours, deleted = await submit(client, "a.mp4"), await submit(client, "b.mp4")
    await client.delete(deleted["statusUrl"])
    async with logged_in(await start(workspace=await ensure_workspace(database, "strangers"))) as stranger:
        theirs = await submit(stranger, "c.mp4")
    [file], [other] = files_of(ours), files_of(deleted)
    asked = [
        *files_of(theirs),
        other,
        {**file, "fileId": str(uuid4())},
        {**file, "jobId": str(uuid4())},
        {**file, "fileId": other["fileId"]},
        {**file, "fileId": "x"},
        {**file, "jobId": file["jobId"].upper()},
    ]

    answers = [await client.post("/api/jobs", json={"fromFiles": [file, one]}) for one in asked]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {(await client.get(f"/api/jobs/{UUID(int=1)}")).content}


@pytest.mark.parametrize(
    "given",
    [[], {}, "x", [1], [{}], [{"jobId": "x"}], [{"jobId": "x", "fileId": 1}], [{"jobId": "x", "fileId": "y", "z": 1}]],
)
async def test_what_names_no_files_is_refused(client: httpx.AsyncClient, given: Any) -> None:
    answer = await client.post("/api/jobs", json={"fromFiles": given})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_files")
    assert "jobId" in answer.json()["error"]


async def test_uploads_and_files_at_once_and_one_file_twice_are_refused(client: httpx.AsyncClient) -> None:
    [file] = files_of(await submit(client, "a.mp4"))

    both = await client.post("/api/jobs", json={"fromFiles": [file], "uploads": [str(uuid4())]})
    twice = await client.post("/api/jobs", json={"fromFiles": [file, file]})

    assert (both.status_code, both.json()["code"]) == (422, "uploads_and_files")
    assert (twice.status_code, twice.json()["code"]) == (422, "repeated_file")


async def test_more_takes_under_a_key_are_one_job(client: httpx.AsyncClient, database: Database) -> None:
    body = {"fromFiles": files_of(await submit(client, "a.mp4"))}

    first, again = [await client.post("/api/jobs", json=body, headers={"Idempotency-Key": "more"}) for _ in range(2)]

    assert first.status_code == again.status_code == 202
    assert first.content == again.content
    assert len(await rows(database, "SELECT FROM job")) == 2
