"""Pause, resume, cancel, retry: each in each state has its effect, or is refused with the state and what is allowed."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.acting import TIMING, claim_next, inspect, rendered
from api.conftest import Server, logged_in, rows
from api.desk import ALLOWED, Desk
from retake.store import parts
from retake.store.connect import Database
from retake.store.fleet import seen
from retake.store.moments import moment_in
from retake_api.app import Tools
from retake_api.control import CANCEL

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(client: httpx.AsyncClient, database: Database) -> Desk:
    return Desk(client, database)


EFFECTS: Mapping[tuple[str, str], str] = {
    ("queued", "pause"): "paused",
    ("processing", "pause"): "paused",
    ("paused", "resume"): "queued",
    ("queued", "cancel"): "cancelled",
    ("processing", "cancel"): "cancelling",
    ("paused", "cancel"): "cancelled",
}
"""State and action -> state; all others are refused."""


@pytest.mark.parametrize(("state", "action"), EFFECTS)
async def test_an_action_that_the_state_allows_has_its_effect(
    desk: Desk, server: Server, state: str, action: str
) -> None:
    job = await getattr(desk, state)()
    server.woken.clear()

    answer = await desk.control(job, action)

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == EFFECTS[state, action]
    assert answer.json() == await desk.show(job)
    assert server.woken


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (state, action)
        for state in ALLOWED
        for action in ("pause", "resume", "cancel")
        if (state, action) not in EFFECTS
    ],
)
async def test_an_action_that_the_state_forbids_is_refused_with_what_is_allowed(
    desk: Desk, state: str, action: str
) -> None:
    job = await getattr(desk, state)()
    before = await desk.show(job)

    answer = await desk.control(job, action)

    told = answer.json()
    assert (answer.status_code, told["code"]) == (409, "not_allowed")
    assert (told["jobStatus"], told["allowed"]) == (before["status"], ALLOWED[state])
    assert f"This job is {before['status']} and cannot be" in told["error"]
    assert await desk.show(job) == before


@pytest.mark.parametrize("action", ["stop", "", None, 7, ["pause"], {}])
async def test_an_action_that_there_is_not_is_refused_with_those_there_are(desk: Desk, action: Any) -> None:
    answer = await desk.control(await desk.queued(), action)

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_action")
    assert answer.json()["allowed"] == ["pause", "resume", "cancel"]


async def test_a_paused_job_lets_running_parts_finish_and_starts_nothing(desk: Desk) -> None:
    job = await desk.queued()
    await inspect(desk.database, takes=6)
    running = await claim_next(desk.database)

    await desk.control(job, "pause")
    await desk.render(running, *range(1, 6))

    [waiting] = await rows(desk.database, "SELECT id FROM part WHERE state = 'queued'")
    assert await parts.claim(desk.database, waiting["id"], "worker", 99, TIMING) is None
    assert ((await desk.show(job))["status"], (await desk.show(job))["completedVariations"]) == ("paused", 5)
    assert (await desk.control(job, "resume")).json()["status"] == "processing"
    assert await parts.claim(desk.database, waiting["id"], "worker", 99, TIMING) is not None


async def test_finished_takes_of_a_cancelled_job_stay_and_finished_work_wins(desk: Desk) -> None:
    job = await desk.queued()
    await inspect(desk.database, takes=2)
    claimed = await claim_next(desk.database)
    await parts.finish_variation(desk.database, claimed, rendered(claimed, 1), TIMING)

    await desk.control(job, "cancel")
    await parts.release(desk.database, claimed, TIMING, blocked=False)

    told = await desk.show(job)
    assert (told["status"], told["completedVariations"]) == ("cancelled", 1)
    assert told["files"][0]["variations"][0]["url"] is not None


async def test_cancel_in_two_steps_says_first_what_would_be_lost(desk: Desk) -> None:
    job = await desk.processing()
    address = f"/api/jobs/{job}/cancel"

    asked = await desk.client.post(address)
    between = (await desk.show(job))["status"]
    confirmed = await desk.client.post(address, json={"confirmToken": asked.json()["confirmToken"]})

    assert asked.status_code == 202
    assert asked.json()["status"] == "cancel_requested"
    assert asked.json()["wouldLose"] == {"variations": 2, "inWork": 0, "kept": 0}
    assert between == "processing"
    assert confirmed.status_code == 200
    assert confirmed.json() == {"jobId": job, "status": "cancelling", "completedVariations": 0, "totalVariations": 2}


async def test_cancel_confirmed_at_once(desk: Desk) -> None:
    job = await desk.queued()

    answer = await desk.client.post(f"/api/jobs/{job}/cancel", json={"confirm": True})

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


@pytest.mark.parametrize("state", ["cancelling", "completed", "failed", "cancelled", "expired"])
async def test_cancel_of_a_job_that_has_ended_is_refused(desk: Desk, state: str) -> None:
    job = await getattr(desk, state)()

    answers = [await desk.client.post(f"/api/jobs/{job}/cancel", json=body) for body in ({}, {"confirm": True})]

    assert [(one.status_code, one.json()["allowed"]) for one in answers] == [(409, ALLOWED[state])] * 2


async def test_a_confirmation_that_is_stale_or_another_jobs_is_refused(desk: Desk, tools: Tools) -> None:
    job, other = await desk.queued(), await desk.queued()
    sign = tools.access.signer.sign
    soon = await moment_in(desk.database, timedelta(minutes=5))
    over = await moment_in(desk.database, timedelta(seconds=-1))
    wrong = [sign(CANCEL, other, soon), sign(CANCEL, job, over), sign("link", job, soon), "x", "", "a.b"]

    answers = [await desk.client.post(f"/api/jobs/{job}/cancel", json={"confirmToken": token}) for token in wrong]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [(409, "stale_confirmation")] * len(wrong)
    assert (await desk.show(job))["status"] == "queued"


async def test_a_job_that_waits_is_told_its_place_and_when_it_will_be_done(
    desk: Desk, start: Callable[..., Awaitable[Server]]
) -> None:
    first, second = await desk.queued(), await desk.queued()

    without_workers = await desk.show(second)
    await seen(desk.database, "worker", version="1", recipe_version=99, slots=1)
    async with logged_in(await start()) as desk.client:
        told = [await desk.show(job) for job in (first, second)]

    assert (without_workers["queuePosition"], without_workers["etaSeconds"]) == (2, None)
    assert [one["queuePosition"] for one in told] == [1, 2]
    assert 0 < told[0]["etaSeconds"] < told[1]["etaSeconds"]


@pytest.mark.parametrize("state", ["paused", "cancelling", "completed", "cancelled"])
async def test_nothing_is_foretold_of_a_job_that_is_not_worked_on(desk: Desk, state: str) -> None:
    told = await desk.show(await getattr(desk, state)())

    assert (told["queuePosition"], told["etaSeconds"]) == (None, None)
