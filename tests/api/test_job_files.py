"""GET /api/jobs/{id}/files: a job's files page by page, and the first of them in the job itself."""

from collections.abc import Sequence
from uuid import uuid4

import httpx
import pytest

from api.acting import fail, finish, submit
from retake.store.connect import Database
from retake.store.jobs import NewJob, accept
from retake.store.sources import begin_source, finish_source
from retake.store.workspaces import ensure_workspace

pytestmark = pytest.mark.anyio

STATES = ["queued", "processing", "completed", "failed", "cancelled"]


async def job_of(database: Database, names: Sequence[str]) -> str:
    workspace = await ensure_workspace(database, "default")
    source = await begin_source(database, workspace)
    await finish_source(database, source)
    new = NewJob(workspace, [(name, source) for name in names], 2, seed=1)
    await accept(database, new)
    return f"/api/jobs/{new.id}"


async def test_files_are_told_as_in_the_job_itself(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "a.mp4", "b.mp4", variations="2")
    await finish(database, takes=2)

    page = (await client.get(f"{told['statusUrl']}/files")).json()
    job = (await client.get(told["statusUrl"])).json()

    assert page == {"files": job["files"], "page": 1, "perPage": 50, "total": 2, "pages": 1}
    assert len(page["files"][0]["variations"]) == 2


async def test_files_are_read_page_by_page(client: httpx.AsyncClient, database: Database) -> None:
    job = await job_of(database, [f"{n}.mp4" for n in range(5)])

    pages = [(await client.get(f"{job}/files?per_page=2&page={n}")).json() for n in (1, 2, 3, 4)]

    assert [[file["name"] for file in page["files"]] for page in pages] == [
        ["0.mp4", "1.mp4"], ["2.mp4", "3.mp4"], ["4.mp4"], [],
    ]  # fmt: skip
    assert {(page["perPage"], page["total"], page["pages"]) for page in pages} == {(2, 5, 3)}
    assert [page["page"] for page in pages] == [1, 2, 3, 4]


async def test_files_of_some_states(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "bad.mp4", "good.mp4", "waiting.mp4", variations="1")
    await fail(database)
    await finish(database)

    seen = {}
    for asked in ("failed", "completed,queued", "cancelled"):
        page = (await client.get(f"{told['statusUrl']}/files", params={"status": asked})).json()
        seen[asked] = [page["total"], page["pages"], *(file["name"] for file in page["files"])]

    assert seen == {
        "failed": [1, 1, "bad.mp4"],
        "completed,queued": [2, 1, "good.mp4", "waiting.mp4"],
        "cancelled": [0, 0],
    }


async def test_a_job_shows_its_first_200_files_and_counts_them_all(
    client: httpx.AsyncClient, database: Database
) -> None:
    job = await job_of(database, [f"{n}.mp4" for n in range(203)])
    for _ in range(2):
        await fail(database)

    told = (await client.get(job)).json()
    last = (await client.get(f"{job}/files?per_page=200&page=2")).json()

    assert [file["name"] for file in told["files"]] == [f"{n}.mp4" for n in range(200)]
    assert (told["totalVideos"], told["totalVariations"]) == (203, 406)
    assert (told["failedVideos"], told["failedVariations"], told["progress"]) == (2, 4, 0.009)
    assert [file["name"] for file in last["files"]] == ["200.mp4", "201.mp4", "202.mp4"]


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("status=paused", STATES),
        ("status=x", STATES),
        ("page=0", ["1..1000000000"]),
        ("page=-1", ["1..1000000000"]),
        ("per_page=0", ["1..200"]),
        ("per_page=201", ["1..200"]),
        ("perPage=2", ["status", "page", "per_page"]),
        ("group_by=confidence", ["status", "page", "per_page"]),
    ],
)
async def test_what_files_cannot_be_asked_is_refused_with_what_they_can(
    client: httpx.AsyncClient, database: Database, query: str, allowed: list[str]
) -> None:
    answer = await client.get(f"{await job_of(database, ['a.mp4'])}/files?{query}")

    assert (answer.status_code, answer.json()["allowed"]) == (400, allowed)


async def test_files_of_no_job_and_no_file_of_a_job_are_nothing(client: httpx.AsyncClient, database: Database) -> None:
    job, other = await job_of(database, ["a.mp4"]), await job_of(database, ["b.mp4"])
    [file] = (await client.get(f"{other}/files")).json()["files"]

    answers = [
        await client.get(address)
        for address in (
            f"/api/jobs/{uuid4()}/files", "/api/jobs/x/files", f"{job}/files/{uuid4()}", f"{job}/files/x",
            f"{job}/files/{file['id']}", f"{job}/files/{file['id'].upper()}", "/api/nothing",
        )
    ]  # fmt: skip

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
