"""POST /api/jobs in JSON: uploads that are whole become a job, once."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.conftest import Server, Start, form, logged_in, rows
from api.uploaded import begun, uploaded
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.store.connect import Database
from retake.store.uploads import end_upload

pytestmark = pytest.mark.anyio


def body(*uploads: UUID, **more: Any) -> dict[str, Any]:
    return {"json": {"uploads": [str(upload) for upload in uploads], **more}}


async def test_uploads_become_a_job_that_answers_as_a_form_does(
    server: Server, client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    first, second = await uploaded(database, blobs, "Übung.mp4"), await uploaded(database, blobs, "b.mov")

    answer = await client.post("/api/jobs", **body(first, second, variations=3, options={"seed": 7, "name": "Zwei"}))
    as_form = await client.post("/api/jobs", **form(("a.mp4", clip())))

    told = answer.json()
    assert answer.status_code == 202
    assert set(told) == set(as_form.json())
    assert [(file["name"], file["size"]) for file in told["files"]] == [("Übung.mp4", 5000), ("b.mov", 5000)]
    assert (told["variationsPerVideo"], told["totalVariations"]) == (3, 6)
    assert answer.headers["Location"] == told["statusUrl"]
    job = (await client.get(told["statusUrl"])).json()
    assert (job["seed"], job["name"], job["status"], job["priority"]) == (7, "Zwei", "queued", "normal")
    assert len(server.woken) == 2


async def test_a_used_upload_is_409_and_names_its_job(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    upload, other = await uploaded(database, blobs), await uploaded(database, blobs)
    job = (await client.post("/api/jobs", **body(upload))).json()["jobId"]

    answer = await client.post("/api/jobs", **body(other, upload))

    assert (answer.status_code, answer.json()["code"]) == (409, "upload_used")
    assert answer.json()["jobId"] == job
    assert (await client.post("/api/jobs", **body(other))).status_code == 202


async def test_an_unfinished_upload_is_409_and_says_what_it_lacks(
    client: httpx.AsyncClient, database: Database
) -> None:
    answer = await client.post("/api/jobs", **body(await begun(database, length=1234)))

    assert (answer.status_code, answer.json()["code"], answer.json()["lacking"]) == (409, "upload_unfinished", 1234)
    assert "1,234 bytes" in answer.json()["error"]


async def test_an_ended_upload_is_410(client: httpx.AsyncClient, database: Database, blobs: Blobs) -> None:
    upload = await uploaded(database, blobs)
    await end_upload(database, upload)

    answer = await client.post("/api/jobs", **body(upload))

    assert (answer.status_code, answer.json()["code"]) == (410, "upload_gone")


async def test_an_upload_of_somebody_else_is_as_unknown_as_one_that_never_was(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    theirs, nobodys = await uploaded(database, blobs, workspace="stranger"), uuid4()

    told = [(await client.post("/api/jobs", **body(upload))) for upload in (theirs, nobodys)]

    assert [answer.status_code for answer in told] == [422, 422]
    first, second = [{**answer.json(), "requestId": None} for answer in told]
    assert {key: str(value).replace(str(theirs), str(nobodys)) for key, value in first.items()} == {
        key: str(value) for key, value in second.items()
    }


WRONG = [
    (b"", 400, "invalid_json"),
    (b"[]", 400, "invalid_json"),
    (b"{", 400, "invalid_json"),
    (b"{}", 422, "invalid_uploads"),
    (b'{"uploads": []}', 422, "invalid_uploads"),
    (b'{"uploads": "x"}', 422, "invalid_uploads"),
    (b'{"uploads": [1]}', 422, "unknown_upload"),
    (b'{"uploads": [null]}', 422, "unknown_upload"),
    (b'{"uploads": ["x"]}', 422, "unknown_upload"),
    (b'{"uploads": ["\\ud800"]}', 422, "unknown_upload"),
    (b'{"uploads": ["B3B3B3B3-0000-4000-8000-000000000000"]}', 422, "unknown_upload"),
    (b'{"uploads": ["x"], "videos": 1}', 422, "unknown_key"),
    (b'{"uploads": ["x"], "\\ud800": 1}', 422, "unknown_key"),
]


async def test_a_body_that_is_wrong_is_refused_with_a_sentence(server: Server, client: httpx.AsyncClient) -> None:
    for sent, status, code in WRONG:
        answer = await client.post("/api/jobs", content=sent, headers={"Content-Type": "application/json"})

        assert (answer.status_code, answer.json()["code"]) == (status, code), sent
        assert answer.json()["error"].endswith("."), sent
    assert server.woken == []


CLAMPED = [(None, 5), ("", 5), (0, 1), (-3, 1), (100, 20), (3.7, 3), ("4", 4), (1e300, 20)]


async def test_variations_are_clamped_and_truncated_as_in_a_form(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    for variations, made in CLAMPED:
        answer = await client.post("/api/jobs", **body(await uploaded(database, blobs), variations=variations))

        assert answer.json()["variationsPerVideo"] == made, variations


async def test_what_is_asked_for_is_judged_as_in_a_form(
    client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    upload = await uploaded(database, blobs)

    for more in (
        {"variations": "abc"},
        {"variations": True},
        {"variations": [3]},
        {"options": []},
        {"options": {"x": 1}},
    ):
        answer = await client.post("/api/jobs", **body(upload, **more))

        assert answer.status_code == 422, more
    assert (await client.post("/api/jobs", **body(upload))).status_code == 202


async def test_200_uploads_may_be_one_job_and_201_or_one_twice_may_not(
    client: httpx.AsyncClient, database: Database
) -> None:
    one = uuid4()

    twice = await client.post("/api/jobs", **body(one, one))
    too_many = await client.post("/api/jobs", **body(*(uuid4() for _ in range(201))))
    many = await client.post("/api/jobs", **body(*[await begun(database) for _ in range(200)]))

    assert (twice.status_code, twice.json()["code"]) == (422, "repeated_upload")
    assert (too_many.status_code, too_many.json()["code"]) == (422, "invalid_uploads")
    assert (many.status_code, many.json()["code"]) == (409, "upload_unfinished")


async def test_storage_that_is_full_is_507_and_the_uploads_stay(start: Start, database: Database, blobs: Blobs) -> None:
    upload = await uploaded(database, blobs)
    await begun(database, length=MIB - 6000)
    async with logged_in(await start(storage={"cap_mib": 1})) as client:
        answer = await client.post("/api/jobs", **body(upload, variations=1))

    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert (answer.json()["needed"], answer.json()["free"]) == (5500, 1000)
    assert await rows(database, "SELECT state FROM upload WHERE id = %s", upload) == [{"state": "finished"}]


async def test_a_queue_that_is_full_is_429_with_the_time_to_come_back(
    start: Start, database: Database, blobs: Blobs
) -> None:
    upload = await uploaded(database, blobs)
    async with logged_in(await start(limits={"queue_jobs": 1})) as client:
        await client.post("/api/jobs", **body(upload))
        named = await client.post("/api/jobs", **body(await uploaded(database, blobs)))
        brought = await client.post("/api/jobs", **form(("a.mp4", clip())))

    for answer in (named, brought):
        assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (429, "queue_full", 1)
        assert int(answer.headers["Retry-After"]) > 0
    assert await rows(database, "SELECT FROM reservation") == []
