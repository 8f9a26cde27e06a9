"""Trying again what failed or was cancelled: in each state its effect, or a refusal that says what is allowed."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from api.acting import TIMING, claim_next, submit
from api.conftest import Server, rows
from api.desk import ALLOWED, Desk
from retake.domain.errors import CORRUPT, ENCODER
from retake.store import parts
from retake.store.connect import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(client: httpx.AsyncClient, database: Database) -> Desk:
    return Desk(client, database)


@pytest.mark.parametrize("state", ["partly", "failed", "cancelled"])
async def test_retry_queues_again_what_failed_or_was_cancelled(desk: Desk, server: Server, state: str) -> None:
    job = await getattr(desk, state)()
    server.woken.clear()

    answer = await desk.client.post(f"/api/jobs/{job}/retry")

    told = answer.json()
    assert answer.status_code == 202, answer.text
    assert told["status"] in {"queued", "processing"}
    assert (told["failedVariations"], told["endedAt"], told["expiresAt"]) == (0, None, None)
    assert server.woken
    waiting = await rows(desk.database, "SELECT id FROM part WHERE state = 'queued'")
    assert len(waiting) == 1


@pytest.mark.parametrize("state", ["queued", "processing", "paused", "completed"])
async def test_retry_where_nothing_failed_is_refused(desk: Desk, state: str) -> None:
    answer = await desk.client.post(f"/api/jobs/{await getattr(desk, state)()}/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_retry")
    assert answer.json()["allowed"] == ALLOWED[state]


@pytest.mark.parametrize("state", ["cancelling", "expired"])
async def test_retry_of_what_is_going_or_gone_is_refused(desk: Desk, state: str) -> None:
    answer = await desk.client.post(f"/api/jobs/{await getattr(desk, state)()}/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed")


@pytest.mark.parametrize(
    ("state", "retriable"),
    [("queued", False), ("processing", False), ("partly", True), ("failed", True), ("cancelled", True),
     ("completed", False), ("expired", False)],
)  # fmt: skip
async def test_a_video_says_whether_trying_it_again_may_help(desk: Desk, state: str, retriable: bool) -> None:
    job = await getattr(desk, state)()

    [file] = (await desk.client.get(f"/api/jobs/{job}")).json()["files"]

    assert file["retriable"] is retriable


async def test_a_video_that_is_no_good_is_not_worth_another_try(desk: Desk) -> None:
    told = await submit(desk.client, "a.mp4")
    await parts.fail_inspect(desk.database, await claim_next(desk.database), CORRUPT, TIMING)

    [file] = (await desk.client.get(told["statusUrl"])).json()["files"]

    assert (file["retriable"], file["sourceKept"]) == (False, True)


async def test_retry_of_one_video_leaves_the_others(desk: Desk) -> None:
    told = await submit(desk.client, "a.mp4", "b.mp4", variations="1")
    for _ in range(2):
        await parts.fail_inspect(desk.database, await claim_next(desk.database), ENCODER, TIMING)
    first, second = (file["id"] for file in told["files"])

    answer = await desk.client.post(f"/api/jobs/{told['jobId']}/files/{second}/retry")
    unknown = await desk.client.post(f"/api/jobs/{told['jobId']}/files/{told['jobId']}/retry")

    by_id = {file["id"]: file["status"] for file in answer.json()["files"]}
    assert (answer.status_code, by_id) == (202, {first: "failed", second: "queued"})
    assert unknown.status_code == 404


@pytest.mark.unsound("I9", why="the source is only said to be gone, and stays charged")
async def test_retry_when_the_source_is_gone_says_so(desk: Desk) -> None:
    job = await desk.cancelled()
    await rows(desk.database, "UPDATE source SET state = 'gone' RETURNING id")

    answer = await desk.client.post(f"/api/jobs/{job}/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, "source_gone")
    assert "upload it again" in answer.json()["suggestion"]


@pytest.mark.unsound("I9", why="a megabyte is charged that nobody stored")
async def test_retry_that_does_not_fit_under_the_cap_is_refused(
    desk: Desk, start: Callable[..., Awaitable[Server]]
) -> None:
    job = await desk.cancelled()
    full = await start(storage={"cap_mib": 1})
    await rows(desk.database, "UPDATE storage SET bytes = bytes + 1048576 RETURNING bytes")

    answer = await full.client.post(
        f"/api/jobs/{job}/retry", headers={"Authorization": f"Bearer {await full.log_in()}"}
    )

    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
