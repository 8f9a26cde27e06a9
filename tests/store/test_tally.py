"""What happened is counted from the event log: each event once, by however many, in the words of metrics."""

import asyncio

import pytest

from retake.domain.errors import CORRUPT, ENCODER
from retake.domain.states import Wish
from retake.store import parts, tally
from retake.store.jobs import delete, wish
from retake.store.retrying import retry
from retake.store.tally import Tally
from retake.store.workspaces import ensure_workspace
from store.scene import RESULT, SIZE, TIMING, Scene

pytestmark = pytest.mark.anyio

BOUNDS = (10.0, 100.0)


async def counted(scene: Scene) -> Tally:
    return await tally.tally(scene.database, BOUNDS)


async def a_day(scene: Scene) -> None:
    """Two jobs are completed, one with a take that failed; one fails, one is cancelled, one waits and is deleted."""
    await scene.ended(takes=2)
    mixed = await scene.planned(takes=2)
    claimed = await scene.claim_next(mixed)
    await parts.fail_variation(scene.database, claimed, 1, ENCODER, TIMING)
    await scene.render(claimed)
    bad = await scene.job()
    await parts.fail_inspect(scene.database, await scene.claim_next(bad), CORRUPT, TIMING)
    await wish(scene.database, (await scene.job()).id, Wish.CANCEL)
    await delete(scene.database, (await scene.job(videos=2)).id, scene.workspace)


async def test_a_day_is_counted_as_it_was(scene: Scene) -> None:
    await a_day(scene)

    happened = await counted(scene)

    assert happened["jobs_accepted"] == {(): 5}
    assert happened["videos_accepted"] == {(): 6}
    assert happened["bytes_accepted"] == {(): 6 * SIZE}
    assert happened["jobs_ended"] == {("completed",): 2, ("failed",): 1, ("cancelled",): 1}
    assert happened["jobs_expired"] == {("deleted",): 1}
    assert happened["videos_failed"] == {("corrupt",): 1}
    assert happened["takes_failed"] == {("encoder",): 1}
    assert (happened["takes_completed"], happened["take_bytes"]) == ({(): 3}, {(): 3 * RESULT})


async def test_whoever_counts_at_once_and_again_counts_each_event_once(scene: Scene) -> None:
    for _ in range(3):
        await scene.ended()
        await asyncio.gather(*(counted(scene) for _ in range(8)))

    happened = await counted(scene)

    assert happened["jobs_accepted"] == {(): 3}
    assert happened["first_take_within"] == {("10",): 3}
    assert happened["jobs_ended"] == {("completed",): 3}
    assert happened["takes_completed"] == {(): 6}


async def test_a_backlog_of_events_is_counted_bit_by_bit(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await scene.ended(takes=3)
    monkeypatch.setattr(tally, "MOST", 2)

    looks = [(await counted(scene)).get("takes_completed", {}).get((), 0) for _ in range(6)]

    assert looks == sorted(looks)
    assert (looks[0], looks[-1]) == (0, 3)


async def test_events_of_a_transaction_that_is_still_open_are_counted_after_it(scene: Scene) -> None:
    await scene.ended()
    async with scene.database.transaction() as late:
        other = await scene.ended(workspace=await ensure_workspace(scene.database, "others"))
        await late.execute(
            "INSERT INTO event (workspace, job_id, kind, body) VALUES (%s, %s, 'lost', '{}')",
            (scene.workspace, other.id),
        )
        before = await counted(scene)

    after = await counted(scene)

    assert "parts_lost" not in before
    assert after["parts_lost"] == {(): 1}
    assert after["jobs_ended"] == {("completed",): 2}


async def test_a_lost_worker_is_counted_and_so_is_what_a_retry_ends(scene: Scene) -> None:
    job = await scene.planned(takes=1)
    await scene.lose(await scene.claim_next(job))
    await scene.due(job)
    claimed = await scene.claim_next(job)
    await parts.fail_variation(scene.database, claimed, 1, ENCODER, TIMING)
    await parts.finish_part(scene.database, claimed, TIMING)
    await retry(scene.database, job.id)
    await scene.render(await scene.claim_next(job))

    happened = await counted(scene)

    assert happened["parts_lost"] == {(): 1}
    assert happened["jobs_accepted"] == {(): 1}
    assert happened["jobs_ended"] == {("failed",): 1, ("completed",): 1}
    assert "job_within" not in happened, "only the first end tells how long a job takes"


async def test_times_are_counted_in_the_bucket_they_belong_to(scene: Scene) -> None:
    for age in ("1 s", "50 s", "1 h"):
        job = await scene.planned()
        await scene.sql("UPDATE job SET created_at = created_at - %s::interval WHERE id = %s", age, job.id)
        await scene.render(await scene.claim_next(job))

    happened = await counted(scene)

    assert happened["first_take_within"] == {("10",): 1, ("100",): 1, ("Infinity",): 1}
    assert happened["job_within"] == happened["first_take_within"]
    assert 3651 <= happened["job_seconds"][()] < 3751
