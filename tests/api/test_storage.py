"""GET /api/storage and POST /api/jobs/{id}/keep; and that a new job finds room by itself."""

import asyncio
import math
from collections.abc import AsyncIterator

import httpx
import pytest

from api.conftest import Start, form, logged_in
from api.wire import MIB, clip
from footage import TIMING, Footage
from retake.blobs.bucket import Blobs
from retake.blobs.keys import of_job
from retake.store.connect import Database
from retake.store.downloads import take

pytestmark = pytest.mark.anyio


@pytest.fixture
async def footage(database: Database, blobs: Blobs) -> AsyncIterator[Footage]:
    """The shared password's jobs are those of `default`; the audit is clean after each test."""
    made = Footage(database, blobs)
    yield made
    assert await made.complaints() == []


async def test_an_empty_installation_without_a_cap(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/storage")

    assert answer.status_code == 200
    assert answer.json() == {
        "used": 0, "going": 0, "cap": None, "free": None, "makesRoomAbove": None, "makesRoomUntil": None,
        "workspace": 0, "byKind": {"sources": 0, "arriving": 0, "takes": 0, "promised": 0},
        "next": [], "kept": [], "keptMost": 10,
    }  # fmt: skip


async def test_storage_says_who_uses_what_what_goes_next_and_why_and_hides_the_ids_of_others(
    start: Start, footage: Footage
) -> None:
    theirs = await footage.finished(takes=2, size=5000, owner="others")
    mine = await footage.finished(takes=1, size=1000, owner="default")
    waiting = await footage.planned(takes=1, owner="default")
    kept = await footage.finished(takes=1, size=300, owner="default")

    async with logged_in(await start(storage={"cap_mib": 1})) as client:
        pinned = await client.post(f"/api/jobs/{kept.id}/keep", json={"keep": True})
        told = (await client.get("/api/storage")).json()

    total = sum([await footage.charged(theirs), await footage.charged(mine)])
    assert pinned.status_code == 200
    assert pinned.json()["kept"] is True
    assert (told["cap"], told["used"], told["free"]) == (MIB, total, MIB - total)
    assert (told["makesRoomAbove"], told["makesRoomUntil"]) == (int(0.85 * MIB), int(0.75 * MIB))
    assert told["byKind"] == {"sources": 600, "arriving": 0, "takes": 1300, "promised": 10_000}
    assert [(one["jobId"], one["bytes"]) for one in told["next"]] == [(str(mine.id), 1200), (None, 10_200)]
    assert {one["why"] for one in told["next"]} == {"It ended first in the workspace that uses most for its share."}
    assert [(one["jobId"], one["bytes"]) for one in told["kept"]] == [(str(kept.id), 500)]
    assert str(theirs.id) not in str(told)
    assert str(waiting.id) not in str(told)


async def test_a_job_is_kept_and_let_go_and_no_more_than_may_be(start: Start, footage: Footage) -> None:
    one, other = [await footage.finished(takes=1, owner="default") for _ in range(2)]

    async with logged_in(await start(storage={"kept_jobs": 1})) as client:
        answers = [
            await client.post(f"/api/jobs/{job.id}/keep", json={"keep": keep})
            for job, keep in ((one, True), (one, True), (other, True), (one, False), (other, True))
        ]
        listed = {job["id"]: job["kept"] for job in (await client.get("/api/jobs")).json()}

    assert [answer.status_code for answer in answers] == [200, 200, 409, 200, 200]
    assert (answers[2].json()["code"], answers[2].json()["limit"]) == ("too_many_kept", 1)
    assert listed == {str(one.id): False, str(other.id): True}


async def test_an_expired_job_cannot_be_kept_and_what_is_not_mine_is_not_there(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    theirs, gone = await footage.finished(owner="others"), await footage.finished(owner="default")
    await footage.expired(gone)

    expired = await client.post(f"/api/jobs/{gone.id}/keep", json={"keep": True})
    foreign = await client.post(f"/api/jobs/{theirs.id}/keep", json={"keep": True})
    unknown = await client.post("/api/jobs/nothing/keep", json={"keep": True})

    assert (expired.status_code, expired.json()["code"]) == (409, "expired")
    assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content) == (404, unknown.content)


@pytest.mark.parametrize("body", [{}, {"keep": "yes"}, {"keep": 1}, {"keep": True, "for": "ever"}, [], None])
async def test_what_is_no_wish_to_keep_is_422(client: httpx.AsyncClient, footage: Footage, body: object) -> None:
    job = await footage.finished(owner="default")

    answer = await client.post(f"/api/jobs/{job.id}/keep", json=body)

    assert answer.status_code == 422
    assert (await footage.job(job))["kept"] is False


async def test_a_job_whose_time_is_over_is_410_with_its_reason_and_still_listed(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(owner="default")
    await footage.expired(job)

    download = await client.get(f"/api/jobs/{job.id}/download")
    (listed,) = (await client.get("/api/jobs")).json()

    assert (download.status_code, download.json()["reason"]) == (410, "age")
    assert (listed["id"], listed["status"], listed["expiredBecause"]) == (str(job.id), "expired", "age")


async def test_a_new_job_takes_the_room_of_as_few_old_ones_as_it_needs_and_their_bytes_are_gone(
    start: Start, footage: Footage
) -> None:
    old = [await footage.finished(takes=1, size=MIB, owner="default") for _ in range(4)]

    async with logged_in(await start(storage={"cap_mib": 5})) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip(MIB)), variations="1"))
        states = [(await client.get(f"/api/jobs/{job.id}")).json() for job in old]
        refused = await client.get(f"/api/jobs/{old[0].id}/download")

    assert answer.status_code == 202, answer.text
    assert [(one["status"], one["expiredBecause"]) for one in states] == [
        ("expired", "space"), ("expired", "space"), ("completed", None), ("completed", None)
    ]  # fmt: skip
    assert (refused.status_code, refused.json()["reason"]) == (410, "space")
    assert [key for job in old[:2] for key in await footage.objects(of_job(str(job.id))[0])] == []
    assert len(await footage.objects(of_job(str(old[2].id))[0])) == 2


async def test_nobody_goes_for_a_job_that_would_not_fit_even_so(start: Start, footage: Footage) -> None:
    old = [await footage.finished(takes=1, size=MIB, owner="default") for _ in range(2)]
    await take(footage.database, old[0].id, TIMING)

    async with logged_in(await start(storage={"cap_mib": 5})) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip(MIB)), variations="4"))

    told = answer.json()
    assert (answer.status_code, told["code"]) == (507, "storage_full")
    assert told["needed"] == math.ceil(4.4 * MIB)
    assert [(await footage.job(job))["state"] for job in old] == ["completed"] * 2


async def test_of_many_who_need_room_at_once_as_many_are_taken_as_fit(start: Start, footage: Footage) -> None:
    """Each needs what two of the old jobs hold; the last finds too few left to go."""
    old = [await footage.finished(takes=1, size=MIB + 60_000, owner="default") for _ in range(6)]

    async with logged_in(await start(storage={"cap_mib": 8})) as client:
        answers = await asyncio.gather(
            *(client.post("/api/jobs", **form(("a.mp4", clip(MIB)), variations="1")) for _ in range(4))
        )

    assert sorted(answer.status_code for answer in answers) == [202, 202, 202, 507]
    states = [(await footage.job(job))["state"] for job in old]
    assert states in (["expired"] * 6, ["expired"] * 5 + ["completed"])
