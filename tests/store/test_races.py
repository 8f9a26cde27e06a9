"""Two transactions at once, interleaved on purpose: one is held just before its commit while the other comes."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from conftest import eventually
from retake.domain.states import Wish
from retake.domain.work import RECIPE_VERSION
from retake.store import parts
from retake.store.heartbeat import heartbeat
from retake.store.jobs import WishRefused, wish
from retake.store.retrying import NothingToRetry, retry
from retake.store.work import work_of
from store.scene import BROKEN, TIMING, Scene, plan, rendered

pytestmark = pytest.mark.anyio

Work = Coroutine[Any, Any, Any]


@asynccontextmanager
async def held_before_commit(scene: Scene) -> AsyncIterator[None]:
    """Whatever tells an event waits: the event lock is the last step of rule 0."""
    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(1, number) FROM workspace")
        yield


async def interleave(scene: Scene, first: Work, second: Work) -> list[Any]:
    """The second starts when the first has done everything but commit; returns what both gave or raised."""
    async with held_before_commit(scene):
        tasks = [asyncio.create_task(first)]
        await eventually(lambda: scene.waiting(1))
        tasks.append(asyncio.create_task(second))
        await eventually(lambda: scene.waiting(2))
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_of_two_last_finishers_the_second_ends_the_job(scene: Scene) -> None:
    job = await scene.planned(videos=2, takes=1)
    claims = [await scene.claim_next(job) for _ in job.videos]
    for claimed in claims:
        await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)
    one, two = claims

    await interleave(
        scene, parts.finish_part(scene.database, one, TIMING), parts.finish_part(scene.database, two, TIMING)
    )

    assert (await scene.states(job))[:2] == ("completed", ["completed"] * 2)


async def test_of_two_last_parts_of_a_video_that_finish_at_once_the_second_ends_it(scene: Scene) -> None:
    job = await scene.planned(takes=6)
    claims = [await scene.claim_next(job) for _ in range(2)]
    for claimed in claims:
        for take in (await work_of(scene.database, claimed)).takes:
            await parts.fail_variation(scene.database, claimed, take.index, BROKEN, TIMING)

    await asyncio.gather(*(parts.finish_part(scene.database, claimed, TIMING) for claimed in claims))

    assert (await scene.states(job))[:2] == ("failed", ["failed"])


async def test_a_cancel_beside_a_finisher_leaves_nothing_cancelling(scene: Scene) -> None:
    job = await scene.planned(takes=1)
    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)

    _, refused = await interleave(
        scene, parts.finish_part(scene.database, claimed, TIMING), wish(scene.database, job.id, Wish.CANCEL)
    )

    assert isinstance(refused, WishRefused)
    assert (await scene.states(job))[0] == "completed"


async def test_a_finisher_beside_a_cancel_keeps_the_state_that_follows(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)

    _, wanted = await interleave(
        scene,
        wish(scene.database, job.id, Wish.CANCEL),
        parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING),
    )

    assert wanted is False
    assert (await scene.states(job))[3] == ["cancelled"] * 2
    await parts.release(scene.database, claimed, TIMING, blocked=False)
    assert (await scene.states(job))[0] == "cancelled"


@pytest.mark.parametrize("wanted", [Wish.PAUSE, Wish.CANCEL])
async def test_a_claim_beside_a_wish_gets_nothing(scene: Scene, wanted: Wish) -> None:
    job = await scene.job()
    part = await scene.part(job)

    _, claimed = await interleave(
        scene,
        wish(scene.database, job.id, wanted),
        parts.claim(scene.database, part["id"], "worker", RECIPE_VERSION, TIMING),
    )

    assert claimed is None


async def test_inspect_beside_a_cancel_plans_nothing_that_waits(scene: Scene) -> None:
    job = await scene.job()
    claimed = await scene.claim_next(job)

    await interleave(
        scene,
        wish(scene.database, job.id, Wish.CANCEL),
        parts.finish_inspect(scene.database, claimed, plan(2), RECIPE_VERSION, TIMING),
    )

    assert await scene.states(job) == ("cancelled", ["cancelled"], ["done", "cancelled"], ["cancelled"] * 2)


async def test_of_two_equal_wishes_at_once_the_second_is_refused(scene: Scene) -> None:
    job = await scene.planned()
    await scene.claim_next(job)

    _, second = await interleave(
        scene, wish(scene.database, job.id, Wish.CANCEL), wish(scene.database, job.id, Wish.CANCEL)
    )

    assert isinstance(second, WishRefused)
    assert second.state == "cancelling"


async def test_of_two_retries_at_once_the_second_has_nothing_to_do(scene: Scene) -> None:
    job = await scene.job()
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)

    _, second = await interleave(scene, retry(scene.database, job.id), retry(scene.database, job.id))

    assert isinstance(second, NothingToRetry)


async def test_heartbeats_go_on_while_another_move_holds_the_job(scene: Scene) -> None:
    job = await scene.job(videos=2)
    claimed = await scene.claim_next(job)

    async with held_before_commit(scene):
        pausing = asyncio.create_task(wish(scene.database, job.id, Wish.PAUSE))
        await eventually(lambda: scene.waiting(1))
        async with asyncio.timeout(5):
            heard = await heartbeat(scene.database, claimed, {}, TIMING)
    await pausing

    assert heard.wish is Wish.RUN


async def test_heartbeats_go_on_while_inspect_waits_for_its_source(scene: Scene) -> None:
    """Sources are locked before parts (rule 0): an accept that holds the source must not cost the part's lease."""
    job = await scene.job()
    claimed = await scene.claim_next(job)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM source FOR SHARE")
        finishing = asyncio.create_task(parts.finish_inspect(scene.database, claimed, plan(1), RECIPE_VERSION, TIMING))
        await eventually(lambda: scene.waiting(1))
        async with asyncio.timeout(5):
            await heartbeat(scene.database, claimed, {}, TIMING)
    await finishing

    assert (await scene.states(job))[2] == ["done", "queued"]


async def test_no_event_is_seen_before_one_with_a_smaller_id_of_its_workspace(scene: Scene) -> None:
    """The first transaction has its event's id and is held in its commit, by a trigger that is put off until then."""
    slow, quick = await scene.job(), await scene.job()
    (before,) = await scene.sql("SELECT max(id) AS id FROM event")
    await scene.sql(
        """
        CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_xact_lock_shared(4711);
            RETURN NULL;
        END $$
        """
    )
    await scene.sql(
        f"""
        CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW WHEN (NEW.job_id = '{slow.id}') EXECUTE FUNCTION hold()
        """
    )

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(4711)")
        first = asyncio.create_task(wish(scene.database, slow.id, Wish.PAUSE))
        await eventually(lambda: scene.waiting(1))
        second = asyncio.create_task(wish(scene.database, quick.id, Wish.PAUSE))
        await eventually(lambda: waits_or_is_done(scene, second))
        meanwhile = await scene.sql("SELECT id FROM event WHERE id > %s", before["id"])
    await asyncio.gather(first, second)

    after = await scene.sql("SELECT job_id FROM event WHERE id > %s ORDER BY id", before["id"])
    assert meanwhile == []
    assert [event["job_id"] for event in after] == [slow.id] * 2 + [quick.id] * 2


async def waits_or_is_done(scene: Scene, second: asyncio.Task[Any]) -> bool:
    return second.done() or await scene.waiting(2)


async def test_who_asks_again_and_again_for_what_is_newer_misses_no_event(scene: Scene) -> None:
    jobs = [await scene.job() for _ in range(8)]
    read: list[int] = []

    async def tell(job_id: Any) -> None:
        for wanted in [Wish.PAUSE, Wish.RUN] * 4:
            await wish(scene.database, job_id, wanted)

    async def follow() -> None:
        while not writing.done():
            newer = await scene.sql("SELECT id FROM event WHERE id > %s ORDER BY id", read[-1] if read else 0)
            read.extend(event["id"] for event in newer)

    writing = asyncio.gather(*(tell(job.id) for job in jobs))
    await follow()

    newer = await scene.sql("SELECT id FROM event WHERE id > %s ORDER BY id", read[-1])
    everything = await scene.sql("SELECT id FROM event ORDER BY id")
    assert read + [event["id"] for event in newer] == [event["id"] for event in everything]


async def test_many_moves_of_many_jobs_at_once_end_well(scene: Scene) -> None:
    """Accepts, claims, plans and wishes of jobs that share a source and a workspace."""
    source = await scene.source()
    jobs = [await scene.accept(scene.workspace, [("a", source), ("b", source)], 2) for _ in range(4)]

    async def work(part: int) -> None:
        claimed = await parts.claim(scene.database, part, "worker", RECIPE_VERSION, TIMING)
        if claimed is not None:
            await parts.finish_inspect(scene.database, claimed, plan(2), RECIPE_VERSION, TIMING)

    moves: list[Work] = [work(part["id"]) for job in jobs for part in await scene.parts(job)]
    moves += [wish(scene.database, job.id, Wish.CANCEL) for job in jobs[:2]]
    moves += [wish(scene.database, jobs[2].id, Wish.PAUSE), wish(scene.database, jobs[3].id, Wish.EXPIRE, "deleted")]
    moves += [scene.accept(scene.workspace, [("c", source)], 1) for _ in range(3)]

    ended = await asyncio.gather(*moves, return_exceptions=True)

    assert [error for error in ended if isinstance(error, BaseException)] == []
