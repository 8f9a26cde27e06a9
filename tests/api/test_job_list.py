"""GET /api/jobs: newest first, page by page, and only those that are asked for."""

from uuid import UUID, uuid4

import httpx
import pytest

from api.acting import fail, finish, submit
from api.conftest import rows
from retake.domain.states import State, Wish
from retake.store.connect import Database
from retake.store.jobs import wish

pytestmark = pytest.mark.anyio

STATES = [str(state) for state in State]


async def names(client: httpx.AsyncClient, **query: str | list[str]) -> list[str]:
    answer = await client.get("/api/jobs", params=query)
    assert answer.status_code == 200, answer.text
    return [name for job in answer.json() for name in job["fileNames"]]


async def test_the_list_is_newest_first_and_short(client: httpx.AsyncClient) -> None:
    jobs = [await submit(client, f"{n}.mp4", variations="2") for n in range(3)]

    listed = (await client.get("/api/jobs")).json()

    assert [one["id"] for one in listed] == [job["jobId"] for job in reversed(jobs)]
    assert {key: value for key, value in listed[0].items() if key not in {"id", "createdAt"}} == {
        "name": None, "kind": "variations", "status": "queued", "totalVideos": 1, "totalVariations": 2,
        "completedVariations": 0, "failedVariations": 0, "progress": 0.0, "fileNames": ["2.mp4"], "thumbnailUrl": None,
        "endedAt": None, "expiresAt": None, "expiredBecause": None, "kept": False,
    }  # fmt: skip


async def test_the_list_is_read_page_by_page_and_none_is_missed_or_doubled(client: httpx.AsyncClient) -> None:
    jobs = [(await submit(client, f"{n}.mp4"))["jobId"] for n in range(5)]
    seen, sizes, address = [], [], "/api/jobs?limit=2"

    while address:
        page = await client.get(address)
        seen += [one["id"] for one in page.json()]
        sizes.append(len(page.json()))
        address = page.links["next"]["url"] if "next" in page.links else ""
        if len(sizes) == 1:
            await submit(client, "newer.mp4")

    assert sizes == [2, 2, 1]
    assert seen == jobs[::-1]


async def test_a_deleted_job_is_gone_at_once_and_an_expired_one_says_why(
    client: httpx.AsyncClient, database: Database
) -> None:
    deleted, expired = await submit(client, "a.mp4"), await submit(client, "b.mp4")
    await wish(database, UUID(deleted["jobId"]), Wish.EXPIRE, "deleted")
    await wish(database, UUID(expired["jobId"]), Wish.EXPIRE, "age")

    [listed] = (await client.get("/api/jobs")).json()

    assert (await client.get(deleted["statusUrl"])).status_code == 404
    assert (listed["id"], listed["status"], listed["expiredBecause"]) == (expired["jobId"], "expired", "age")


async def test_expired_jobs_stay_listed_for_a_week(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "a.mp4")
    await wish(database, UUID(told["jobId"]), Wish.EXPIRE, "space")
    before = (
        "UPDATE job SET created_at = now() - %s::interval, ended_at = created_at, expires_at = now() - %s::interval"
    )

    await rows(database, f"{before} RETURNING id", "9 days", "167 hours")
    [listed] = (await client.get("/api/jobs")).json()
    await rows(database, f"{before} RETURNING id", "9 days", "169 hours")

    assert (listed["status"], listed["expiredBecause"]) == ("expired", "space")
    assert await names(client) == []


async def test_the_list_is_of_the_states_that_are_asked_for(client: httpx.AsyncClient, database: Database) -> None:
    await submit(client, "done.mp4", variations="1")
    await submit(client, "bad.mp4")
    await submit(client, "waiting.mp4")
    await finish(database)
    await fail(database)

    assert await names(client, status="completed") == ["done.mp4"]
    assert await names(client, status="completed,failed") == ["bad.mp4", "done.mp4"]
    assert await names(client, status=["queued", "failed"]) == ["waiting.mp4", "bad.mp4"]
    assert await names(client, status="cancelled") == []
    assert await names(client, status="") == ["waiting.mp4", "bad.mp4", "done.mp4"]


async def test_the_list_is_of_the_kind_that_is_asked_for(client: httpx.AsyncClient) -> None:
    await submit(client, "a.mp4")

    assert await names(client, kind="variations") == ["a.mp4"]
    assert await names(client, kind="catalog") == []


async def test_the_list_is_of_the_jobs_that_are_named_as_far_as_they_are_there(
    client: httpx.AsyncClient, database: Database
) -> None:
    one, other, gone = [(await submit(client, f"{n}.mp4"))["jobId"] for n in ("one", "other", "gone")]
    await submit(client, "unnamed.mp4")
    await client.delete(f"/api/jobs/{gone}")

    assert await names(client, id=[one, f"{other},{gone}", str(uuid4())]) == ["other.mp4", "one.mp4"]
    assert await names(client, id=[one, other], q="OTHER") == ["other.mp4"]
    assert await names(client, id=gone) == []


ODD = ["100%.mp4", "a_b.mp4", "Straße.mp4", "FÊTE.mp4", "fe\u0302te 視頻.mp4", "ＡＢＣ.mp4", "it's.mp4", "ℌ.mp4"]


FOUND = {
    "100%": ["100%.mp4"],
    "%": ["100%.mp4"],
    "_": ["a_b.mp4"],
    "A_B": ["a_b.mp4"],
    "STRASSE": ["Straße.mp4"],
    "straße": ["Straße.mp4"],
    "fête": ["fe\u0302te 視頻.mp4", "FÊTE.mp4"],
    "FE\u0302TE": ["fe\u0302te 視頻.mp4", "FÊTE.mp4"],
    " 視頻 ": ["fe\u0302te 視頻.mp4"],
    "abc": ["ＡＢＣ.mp4"],
    "'": ["it's.mp4"],
    "H.M": ["ℌ.mp4"],
    "..": [],
    "": ODD[::-1],
    "  ": ODD[::-1],
}


async def test_a_search_takes_every_character_as_it_is_and_no_notice_of_case(client: httpx.AsyncClient) -> None:
    for name in ODD:
        await submit(client, name)

    found = {words: await names(client, q=words) for words in FOUND}

    assert found == FOUND


async def test_a_job_is_found_by_its_name_and_by_each_of_its_files(client: httpx.AsyncClient) -> None:
    await submit(client, "first.mp4", "second.mp4", options='{"name": "Frühling"}')
    await submit(client, "third.mp4")

    for words in ("FRÜHLING", "irst", "second"):
        assert await names(client, q=words) == ["first.mp4", "second.mp4"]
    assert await names(client, q="first.mp4second") == []
    assert await names(client, q="frühling", status="failed") == []


async def test_the_next_page_is_asked_the_same(client: httpx.AsyncClient) -> None:
    for n in range(5):
        await submit(client, f"odd {n}.mp4" if n % 2 else f"even {n}.mp4")

    first = await client.get("/api/jobs?status=queued&status=failed&q=even%20&limit=2")
    await submit(client, "even 6.mp4")
    second = await client.get(first.links["next"]["url"])

    assert [job["fileNames"] for job in first.json() + second.json()] == [
        ["even 4.mp4"],
        ["even 2.mp4"],
        ["even 0.mp4"],
    ]
    assert "next" not in second.links


async def test_what_the_list_cannot_be_asked_is_refused_with_what_it_can(client: httpx.AsyncClient) -> None:
    for query, allowed in (
        ("limit=0", ["1..200"]),
        ("limit=201", ["1..200"]),
        ("limit=x", ["1..200"]),
        ("limit=1e2", ["1..200"]),
        ("limit=٣", ["1..200"]),
        ("status=done", STATES),
        ("status=queued,done", STATES),
        ("status=QUEUED", STATES),
        ("kind=photos", ["variations", "catalog"]),
        ("q=%00", ["0..200 characters"]),
        ("q=" + "x" * 201, ["0..200 characters"]),
        ("state=queued", ["status", "kind", "q", "id", "limit", "cursor"]),
        ("id=x", ["ids of jobs"]),
        ("id=" + ",".join(201 * ["7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11"]), ["1..200 ids"]),
        ("cursor=x", None),
        ("cursor=%00", None),
        ("cursor=" + "a" * 500, None),
    ):
        answer = await client.get(f"/api/jobs?{query}")

        assert answer.status_code == 400, query
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json().get("allowed") == allowed, query
