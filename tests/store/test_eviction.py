"""Who goes for room and who stays, and that two who make room at once take no more than one."""

import asyncio
from uuid import uuid4

import pytest

from conftest import eventually
from retake.domain.states import Wish
from retake.store import parts
from retake.store.downloads import take
from retake.store.eviction import (
    KeepRefused,
    Outcome,
    TooManyKept,
    candidates,
    evict,
    keep,
    let_go,
    usage,
)
from retake.store.jobs import wish
from retake.store.move import JobGone
from retake.store.retrying import retry
from retake.store.room import StorageFull
from retake.store.workspaces import ensure_workspace
from store.scene import BROKEN, ESTIMATE, RESULT, SIZE, TIMING, Accepted, Scene

pytestmark = pytest.mark.anyio


async def may_go(scene: Scene) -> list[object]:
    return [one.job for one in await candidates(scene.database)]


async def failed(scene: Scene) -> Accepted:
    """A job that may be tried again: its source is still there."""
    job = await scene.job()
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)
    await scene.sql("UPDATE video SET error_code = 'internal' WHERE job_id = %s", job.id)
    return job


async def test_ended_jobs_may_go_the_one_that_ended_first_before_the_others(scene: Scene) -> None:
    first, second = await scene.ended(takes=1), await scene.ended(takes=2)
    third = await failed(scene)
    await scene.sql("UPDATE job SET ended_at = ended_at - interval '1 h' WHERE id = %s", second.id)

    found = await candidates(scene.database)

    assert [(one.job, one.bytes) for one in found] == [
        (second.id, SIZE + 2 * RESULT),
        (first.id, SIZE + RESULT),
        (third.id, SIZE),
    ]


async def test_jobs_that_have_not_ended_are_expired_kept_or_being_downloaded_stay(scene: Scene) -> None:
    await scene.planned()
    await wish(scene.database, (await scene.ended()).id, Wish.EXPIRE, "age")
    await keep(scene.database, scene.workspace, (await scene.ended()).id, most=1)
    await take(scene.database, (await scene.ended()).id, TIMING)

    assert await may_go(scene) == []


async def test_a_job_that_would_free_nothing_stays(scene: Scene) -> None:
    job = await scene.job()
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)
    await scene.sql("UPDATE source SET state = 'gone'")
    await scene.sql("UPDATE storage SET bytes = 0")

    assert await may_go(scene) == []


async def test_a_source_that_another_job_has_a_video_of_is_not_counted_as_room(scene: Scene) -> None:
    job = await scene.ended(takes=1)
    (source,) = await scene.sql("SELECT source_id AS id FROM video")
    await scene.accept(scene.workspace, [("again.mp4", source["id"])], 1)

    (found,) = await candidates(scene.database)

    assert (found.job, found.bytes) == (job.id, RESULT)


async def test_an_evicted_job_is_expired_and_says_that_it_was_for_space(scene: Scene) -> None:
    job = await scene.ended()

    outcome = await evict(scene.database, job.id, above=0)

    row = await scene.one("job", job.id)
    assert (outcome, row["state"], row["expired_because"]) == (Outcome.GONE, "expired", "space")
    assert await evict(scene.database, job.id, above=0) is Outcome.STAYS
    assert await evict(scene.database, uuid4(), above=0) is Outcome.STAYS


async def test_what_goes_anyway_is_room_already(scene: Scene) -> None:
    gone, other = await scene.ended(takes=1), await scene.ended(takes=1)
    await wish(scene.database, gone.id, Wish.EXPIRE, "age")

    now = await usage(scene.database)

    assert (now.used, now.going) == (2 * (SIZE + RESULT), 2 * SIZE + RESULT)
    assert now.shares[scene.workspace].used == now.staying == RESULT
    assert await evict(scene.database, other.id, above=RESULT) is Outcome.ENOUGH
    assert await evict(scene.database, other.id, above=RESULT - 1) is Outcome.GONE


async def test_of_two_who_make_room_at_once_the_second_finds_enough(scene: Scene) -> None:
    """The event lock holds the first just before its commit."""
    one, other = await scene.ended(takes=1), await scene.ended(takes=1)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(1, number) FROM workspace")
        first = asyncio.create_task(evict(scene.database, one.id, above=RESULT))
        await eventually(lambda: scene.waiting(1))
        second = asyncio.create_task(evict(scene.database, other.id, above=RESULT))
        await eventually(lambda: scene.settled(second, waiting=2))

    assert (await first, await second) == (Outcome.GONE, Outcome.ENOUGH)


@pytest.mark.parametrize("meanwhile", ["download", "keep", "retry"])
async def test_a_job_that_is_needed_again_before_it_is_taken_stays(scene: Scene, meanwhile: str) -> None:
    """The job's row is held by who needs it again, while the eviction already waits for it."""
    job = await failed(scene)
    needed = {
        "download": "INSERT INTO download (job_id, until) VALUES (%s, now() + interval '1 min')",
        "keep": "UPDATE job SET kept = true WHERE id = %s",
        "retry": "UPDATE job SET state = 'queued', ended_at = NULL, expires_at = NULL WHERE id = %s",
    }

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM job WHERE id = %s FOR NO KEY UPDATE", (job.id,))
        evicting = asyncio.create_task(evict(scene.database, job.id, above=0))
        await eventually(lambda: scene.waiting(1))
        await holding.execute(needed[meanwhile].encode(), (job.id,))

    assert await evicting is Outcome.STAYS
    if meanwhile == "retry":
        await scene.sql("UPDATE job SET state = 'failed', ended_at = now(), expires_at = now() WHERE id = %s", job.id)


async def test_no_more_jobs_of_a_workspace_are_kept_than_may_be(scene: Scene) -> None:
    jobs = [await scene.ended(takes=1) for _ in range(3)]
    others = await ensure_workspace(scene.database, "others")
    theirs = await scene.ended(takes=1, workspace=others)
    await keep(scene.database, others, theirs.id, most=2)
    for job in jobs[:2]:
        await keep(scene.database, scene.workspace, job.id, most=2)

    with pytest.raises(TooManyKept):
        await keep(scene.database, scene.workspace, jobs[2].id, most=2)
    await keep(scene.database, scene.workspace, jobs[1].id, most=2)
    await let_go(scene.database, scene.workspace, jobs[0].id)
    await keep(scene.database, scene.workspace, jobs[2].id, most=2)

    assert await may_go(scene) == [jobs[0].id]


async def test_of_two_last_places_taken_at_once_one_is_refused(scene: Scene) -> None:
    """Both are past their own job's lock before either has counted."""
    one, other = await scene.ended(takes=1), await scene.ended(takes=1)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM storage FOR UPDATE")
        asked = [asyncio.create_task(keep(scene.database, scene.workspace, job.id, most=1)) for job in (one, other)]
        await eventually(lambda: scene.waiting(2))

    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "TooManyKept"]


async def test_only_a_workspace_s_own_jobs_that_are_there_can_be_kept(scene: Scene) -> None:
    job = await scene.ended(takes=1)
    others = await ensure_workspace(scene.database, "others")

    for attempt in (keep(scene.database, others, job.id, most=1), let_go(scene.database, others, job.id)):
        with pytest.raises(JobGone):
            await attempt
    await wish(scene.database, job.id, Wish.EXPIRE, "age")
    with pytest.raises(KeepRefused):
        await keep(scene.database, scene.workspace, job.id, most=1)


async def test_a_kept_job_still_expires_when_its_time_is_over_and_frees_its_place(scene: Scene) -> None:
    job, next_one = await scene.ended(takes=1), await scene.ended(takes=1)
    await keep(scene.database, scene.workspace, job.id, most=1)

    await wish(scene.database, job.id, Wish.EXPIRE, "age")

    await keep(scene.database, scene.workspace, next_one.id, most=1)
    assert (await scene.one("job", job.id))["state"] == "expired"


async def test_a_retry_that_does_not_fit_is_refused_with_both_figures_and_changes_nothing(scene: Scene) -> None:
    job = await scene.planned(takes=3)
    claimed = await scene.claim_next(job)
    await parts.fail_variation(scene.database, claimed, 1, BROKEN, TIMING)
    await wish(scene.database, job.id, Wish.CANCEL)
    await parts.finish_part(scene.database, claimed, TIMING)
    before = await scene.everything()

    with pytest.raises(StorageFull) as full:
        await retry(scene.database, job.id, cap=SIZE + 3 * ESTIMATE - 1)

    assert (full.value.needed, full.value.free) == (3 * ESTIMATE, 3 * ESTIMATE - 1)
    assert await scene.everything() == before
    assert await retry(scene.database, job.id, cap=SIZE + 3 * ESTIMATE) == "processing"
