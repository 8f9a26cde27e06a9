"""Whoever lost the part writes nothing (rule 6): each fenced write, under each way to lose it."""

from collections.abc import Awaitable, Callable

import pytest

from retake.domain.states import Wish
from retake.domain.work import RECIPE_VERSION, Claim
from retake.store import parts
from retake.store.connect import Database
from retake.store.heartbeat import heartbeat
from retake.store.jobs import wish
from retake.store.move import LeaseLost
from retake.store.work import work_of
from store.scene import BROKEN, TIMING, Accepted, Scene, plan, rendered

pytestmark = pytest.mark.anyio

Write = Callable[[Database, Claim], Awaitable[object]]
Loss = Callable[[Scene, Accepted, Claim], Awaitable[object]]

RENDER: dict[str, Write] = {
    "work_of": work_of,
    "heartbeat": lambda database, claimed: heartbeat(database, claimed, {1: 2}, TIMING),
    "name_take": lambda database, claimed: parts.name_take(database, claimed, 1),
    "finish_variation": lambda database, claimed: parts.finish_variation(
        database, claimed, rendered(1, claimed), TIMING
    ),
    "fail_variation": lambda database, claimed: parts.fail_variation(database, claimed, 1, BROKEN, TIMING),
    "finish_part": lambda database, claimed: parts.finish_part(database, claimed, TIMING),
    "release": lambda database, claimed: parts.release(database, claimed, TIMING, blocked=True),
}
INSPECT: dict[str, Write] = {
    "finish_inspect": lambda database, claimed: parts.finish_inspect(
        database, claimed, plan(2), RECIPE_VERSION, TIMING
    ),
    "fail_inspect": lambda database, claimed: parts.fail_inspect(database, claimed, BROKEN, TIMING),
}


async def taken_back(scene: Scene, job: Accepted, claimed: Claim) -> None:
    await scene.lose(claimed)


async def claimed_by_another(scene: Scene, job: Accepted, claimed: Claim) -> None:
    await scene.lose(claimed)
    await scene.claim(claimed.part, "another")


async def released(scene: Scene, job: Accepted, claimed: Claim) -> None:
    await parts.release(scene.database, claimed, TIMING, blocked=False)


async def cancelled(scene: Scene, job: Accepted, claimed: Claim) -> None:
    await wish(scene.database, job.id, Wish.CANCEL)
    await scene.lose(claimed)


async def deleted(scene: Scene, job: Accepted, claimed: Claim) -> None:
    """No part, no job: as after a purge of history."""
    await scene.lose(claimed)
    await wish(scene.database, job.id, Wish.EXPIRE, "deleted")
    await scene.sql("DELETE FROM job WHERE id = %s", job.id)


LOSSES: list[Loss] = [taken_back, claimed_by_another, released, cancelled, deleted]


@pytest.mark.parametrize("lost", LOSSES, ids=lambda lost: lost.__name__)
async def test_a_render_part_that_was_lost_is_written_by_nobody_who_held_it(scene: Scene, lost: Loss) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)
    await lost(scene, job, claimed)
    before = await scene.everything()

    for name, write in RENDER.items():
        with pytest.raises(LeaseLost):
            await write(scene.database, claimed)

        assert await scene.everything() == before, name


@pytest.mark.parametrize("lost", LOSSES, ids=lambda lost: lost.__name__)
async def test_an_inspect_part_that_was_lost_is_written_by_nobody_who_held_it(scene: Scene, lost: Loss) -> None:
    job = await scene.job()
    claimed = await scene.claim_next(job)
    await lost(scene, job, claimed)
    before = await scene.everything()

    for name, write in INSPECT.items():
        with pytest.raises(LeaseLost):
            await write(scene.database, claimed)

        assert await scene.everything() == before, name


async def test_a_part_that_is_done_is_not_written_again_by_the_claim_that_did_it(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)
    await scene.render(claimed)
    before = await scene.everything()

    for name, write in RENDER.items():
        with pytest.raises(LeaseLost):
            await write(scene.database, claimed)

        assert await scene.everything() == before, name


async def test_who_is_late_but_was_not_taken_for_lost_goes_on(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)
    await scene.lapse(claimed.part)

    await scene.render(claimed)

    assert (await scene.states(job))[0] == "completed"


@pytest.mark.parametrize("name", ["finish_variation", "fail_variation"])
async def test_a_write_renews_the_lease_and_answers_for_the_take_that_was_tried(scene: Scene, name: str) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)
    await parts.name_take(scene.database, claimed, 1)
    await scene.lapse(claimed.part)

    await RENDER[name](scene.database, claimed)

    (row,) = await scene.sql("SELECT lease_until > now() AS lives, trying_index FROM part WHERE id = %s", claimed.part)
    assert row == {"lives": True, "trying_index": None}


async def test_another_claim_never_overwrites_what_the_first_completed(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    first = await scene.claim_next(job)
    await parts.finish_variation(scene.database, first, rendered(1, first), TIMING)
    await scene.lose(first)
    before = await scene.variations(job.video)
    second = await scene.claim_next(job)

    again = await parts.finish_variation(scene.database, second, rendered(1, second, size=9), TIMING)

    assert again is False
    assert await scene.variations(job.video) == before
