"""What the relay is given to announce (rules 2 and 3): the window, what takes no place, what is announced again."""

import asyncio

import pytest

from conftest import eventually
from retake.domain.states import Wish
from retake.domain.work import RECIPE_VERSION
from retake.store import fleet, parts
from retake.store.announcements import BATCH, Announceable, mark_announced, next_to_announce, withdraw_unheard
from retake.store.jobs import wish
from store.scene import TIMING, Scene

pytestmark = pytest.mark.anyio


async def announce(scene: Scene) -> list[Announceable]:
    """One pass of the relay over a broker that takes everything."""
    announceable = await next_to_announce(scene.database, TIMING)
    for part in announceable:
        assert await mark_announced(scene.database, part.part, part.generation)
    return announceable


async def announced_since(scene: Scene, seconds: float) -> None:
    await scene.sql(
        "UPDATE part SET announced_at = now() - %s * interval '1 s' WHERE announced_at IS NOT NULL", seconds
    )


async def test_what_is_announced_says_where_it_belongs(scene: Scene) -> None:
    job = await scene.job()
    await scene.worker()

    announced = await announce(scene)

    assert announced == [Announceable((await scene.part(job))["id"], 1, "inspect", job.id, job.video)]
    assert (await scene.part(job))["announced_at"] is not None


async def test_as_many_parts_are_announced_as_there_are_live_slots(scene: Scene) -> None:
    await scene.job(videos=9)
    await scene.worker("one", slots=4)
    await scene.worker("two", slots=3)

    passes = [len(await announce(scene)), len(await announce(scene))]

    assert passes == [7, 0]


async def test_at_least_two_parts_are_announced(scene: Scene) -> None:
    await scene.job(videos=3)
    await scene.worker(slots=1)

    assert len(await announce(scene)) == 2


async def test_a_claim_makes_room_for_the_next(scene: Scene) -> None:
    await scene.job(videos=9)
    await scene.worker(slots=2)
    first, _ = await announce(scene)

    await scene.claim(first.part)

    assert len(await announce(scene)) == 1


async def test_one_pass_announces_no_more_than_a_batch(scene: Scene) -> None:
    await scene.job(videos=BATCH + 8)
    await scene.worker(slots=100)

    assert [len(await announce(scene)) for _ in range(3)] == [BATCH, 8, 0]


async def test_a_worker_that_was_not_seen_for_long_has_no_slots(scene: Scene) -> None:
    await scene.job(videos=9)
    await scene.worker("dead", slots=5)
    await scene.sql("UPDATE worker SET seen_at = now() - interval '31 s'")
    await scene.worker("alive", slots=3)

    assert len(await announce(scene)) == 3


async def test_nothing_is_announced_while_no_worker_lives(scene: Scene) -> None:
    await scene.job()
    await scene.worker()
    await fleet.gone(scene.database, "worker")

    assert await announce(scene) == []


@pytest.mark.parametrize(("wanted", "because"), [(Wish.PAUSE, None), (Wish.CANCEL, None), (Wish.EXPIRE, "deleted")])
async def test_a_job_under_the_wish_takes_no_place(scene: Scene, wanted: Wish, because: str | None) -> None:
    held, other = await scene.job(videos=5), await scene.job(videos=2)
    await scene.worker(slots=2)
    await announce(scene)

    await wish(scene.database, held.id, wanted, because)

    assert {part.job for part in await announce(scene)} == {other.id}
    assert await scene.parts(held, announced_at=None) == await scene.parts(held)


async def test_a_resumed_job_is_announced_in_a_new_generation(scene: Scene) -> None:
    job = await scene.job()
    await scene.worker()
    (before,) = await announce(scene)
    await wish(scene.database, job.id, Wish.PAUSE)

    await wish(scene.database, job.id, Wish.RUN)

    (after,) = await announce(scene)
    assert after.generation > before.generation


async def test_a_part_that_has_to_wait_takes_no_place(scene: Scene) -> None:
    job = await scene.job()
    await scene.worker()
    await parts.release(scene.database, await scene.claim_next(job), TIMING, blocked=True)
    early = await announce(scene)

    await scene.due(job)

    assert early == []
    assert len(await announce(scene)) == 1


async def test_a_part_that_no_live_worker_understands_takes_no_place(scene: Scene) -> None:
    new, old = await scene.job(videos=4), await scene.job()
    await scene.sql("UPDATE part SET recipe_version = %s WHERE job_id = %s", RECIPE_VERSION + 1, new.id)
    await scene.worker("old", slots=8)
    before = await announce(scene)

    await scene.worker("new", slots=8, recipe_version=RECIPE_VERSION + 1)

    assert {part.job for part in before} == {old.id}
    assert {part.job for part in await announce(scene)} == {new.id}


async def test_a_part_that_moved_on_before_it_was_marked_is_not_marked(scene: Scene) -> None:
    job = await scene.job()
    await scene.worker()
    (part,) = await next_to_announce(scene.database, TIMING)
    claimed = await scene.claim(part.part)
    while_running = await mark_announced(scene.database, part.part, part.generation)
    await parts.release(scene.database, claimed, TIMING, blocked=False)

    in_the_next_generation = await mark_announced(scene.database, part.part, part.generation)

    assert (while_running, in_the_next_generation) == (False, False)
    assert (await scene.part(job))["announced_at"] is None


async def test_a_pause_that_commits_while_its_part_is_marked_leaves_it_unannounced(scene: Scene) -> None:
    """The workspace's event lock holds the pause just before its commit."""
    job = await scene.job()
    await scene.worker()
    (part,) = await next_to_announce(scene.database, TIMING)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(1, number) FROM workspace")
        pausing = asyncio.create_task(wish(scene.database, job.id, Wish.PAUSE))
        await eventually(lambda: scene.waiting(1))
        marking = asyncio.create_task(mark_announced(scene.database, part.part, part.generation))
        await eventually(lambda: scene.waiting(2))
    await pausing

    assert await marking is False
    assert (await scene.part(job))["announced_at"] is None


async def test_a_part_nobody_claimed_in_time_is_announced_again_in_a_new_generation(scene: Scene) -> None:
    await scene.job()
    await scene.worker()
    (first,) = await announce(scene)
    await announced_since(scene, 6)

    withdrawn = await withdraw_unheard(scene.database, TIMING)

    (second,) = await announce(scene)
    assert withdrawn == 1
    assert (second.part, second.generation) == (first.part, first.generation + 1)


async def test_with_an_idle_slot_the_patience_doubles_with_every_announcement_up_to_ten_minutes(scene: Scene) -> None:
    await scene.job()
    await scene.worker()
    patience = []

    for expected in [5, 10, 20, 40, 80, 160, 320, 600, 600]:
        await announce(scene)
        await announced_since(scene, expected - 1)
        early = await withdraw_unheard(scene.database, TIMING)
        await announced_since(scene, expected + 1)
        late = await withdraw_unheard(scene.database, TIMING)
        patience.append((early, late))

    assert patience == [(0, 1)] * 9


async def test_with_no_idle_slot_the_patience_is_ten_minutes(scene: Scene) -> None:
    busy = await scene.job()
    await scene.worker(slots=1)
    await scene.claim_next(busy)
    await scene.job()
    await announce(scene)
    await announced_since(scene, 599)
    early = await withdraw_unheard(scene.database, TIMING)
    await announced_since(scene, 601)

    late = await withdraw_unheard(scene.database, TIMING)

    assert (early, late) == (0, 1)


async def test_the_withdrawal_waits_for_nobody_and_leaves_alone_what_moves(scene: Scene) -> None:
    """A cancel that holds parts in its own order could otherwise deadlock with it."""
    job = await scene.job(videos=3)
    await scene.worker(slots=3)
    await announce(scene)
    await announced_since(scene, 6)
    moving, *_ = await scene.parts(job)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM part WHERE id = %s FOR UPDATE", (moving["id"],))
        async with asyncio.timeout(5):
            withdrawn = await withdraw_unheard(scene.database, TIMING)

    assert withdrawn == 2
