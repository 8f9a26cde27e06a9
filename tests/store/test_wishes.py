"""What a person may want of a job in which state, what it does at once, and what is refused."""

import pytest

from retake.domain.states import Wish
from retake.store import parts
from retake.store.jobs import WishRefused, expire_due, wish
from retake.store.move import JobGone
from store.scene import BROKEN, SIZE, TIMING, Accepted, Scene, rendered

pytestmark = pytest.mark.anyio

RUN, PAUSE, CANCEL, EXPIRE = Wish.RUN, Wish.PAUSE, Wish.CANCEL, Wish.EXPIRE
STATE = {RUN: "processing", PAUSE: "paused", CANCEL: "cancelling", EXPIRE: "cancelling"}
ALLOWED = [(RUN, PAUSE), (RUN, CANCEL), (RUN, EXPIRE), (PAUSE, RUN), (PAUSE, CANCEL), (PAUSE, EXPIRE), (CANCEL, EXPIRE)]
REFUSED = [(one, other) for one in Wish for other in Wish if (one, other) not in ALLOWED]


async def want(scene: Scene, job: Accepted, wanted: Wish) -> str:
    return await wish(scene.database, job.id, wanted, "deleted" if wanted is EXPIRE else None)


async def live(scene: Scene, current: Wish) -> Accepted:
    """A job under that wish with one part that runs."""
    job = await scene.planned()
    await scene.claim_next(job)
    if current is not RUN:
        await want(scene, job, current)
    return job


@pytest.mark.parametrize(("current", "wanted"), ALLOWED)
async def test_of_a_job_that_runs_one_may_go(scene: Scene, current: Wish, wanted: Wish) -> None:
    job = await live(scene, current)

    state = await want(scene, job, wanted)

    row = await scene.one("job", job.id)
    assert (row["wish"], row["expired_because"]) == (wanted, "deleted" if wanted is EXPIRE else None)
    assert state == STATE[wanted]


@pytest.mark.parametrize(("current", "wanted"), REFUSED)
async def test_of_a_job_that_runs_one_may_not_go(scene: Scene, current: Wish, wanted: Wish) -> None:
    job = await live(scene, current)
    before = await scene.everything()

    with pytest.raises(WishRefused) as refused:
        await want(scene, job, wanted)

    assert refused.value.state == STATE[current]
    assert refused.value.allowed == [to for to in Wish if (current, to) in ALLOWED]
    assert await scene.everything() == before


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
@pytest.mark.parametrize("wanted", [RUN, PAUSE, CANCEL])
async def test_a_job_that_has_ended_refuses(scene: Scene, how: str, wanted: Wish) -> None:
    job = await end(scene, how)
    before = await scene.everything()

    with pytest.raises(WishRefused) as refused:
        await want(scene, job, wanted)

    assert (refused.value.state, refused.value.allowed) == (how, [EXPIRE])
    assert await scene.everything() == before


async def end(scene: Scene, how: str) -> Accepted:
    job = await scene.job()
    match how:
        case "completed":
            return await scene.ended()
        case "failed":
            await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)
        case _:
            await wish(scene.database, job.id, CANCEL)
    return job


@pytest.mark.parametrize("how", ["completed", "failed", "cancelled"])
async def test_a_job_that_has_ended_may_be_deleted_and_keeps_when_it_ended(scene: Scene, how: str) -> None:
    job = await end(scene, how)
    before = await scene.one("job", job.id)

    state = await want(scene, job, EXPIRE)

    after = await scene.one("job", job.id)
    assert (state, after["expired_because"]) == ("expired", "deleted")
    assert (after["ended_at"], after["expires_at"]) == (before["ended_at"], before["expires_at"])


async def test_a_deleted_job_refuses_everything(scene: Scene) -> None:
    job = await end(scene, "cancelled")
    await want(scene, job, EXPIRE)

    for wanted in Wish:
        with pytest.raises(WishRefused) as refused:
            await want(scene, job, wanted)

        assert (refused.value.state, refused.value.allowed) == ("expired", [])


async def test_a_job_nobody_knows_is_gone(scene: Scene) -> None:
    with pytest.raises(JobGone):
        await wish(scene.database, scene.workspace, PAUSE)


async def test_pause_withdraws_what_was_announced_and_lets_finish_what_runs(scene: Scene) -> None:
    job = await scene.planned(takes=10)
    claimed = await scene.claim_next(job)
    await scene.sql("UPDATE part SET announced_at = now() WHERE state = 'queued'")

    await want(scene, job, PAUSE)

    assert [part["announced_at"] for part in await scene.parts(job)] == [None] * 3
    await scene.render(claimed)
    assert (await scene.states(job))[:3] == ("paused", ["processing"], ["done", "done", "queued"])


async def test_resume_announces_anew_what_waits(scene: Scene) -> None:
    job = await scene.job(videos=2)
    await scene.sql("UPDATE part SET announcements = 7")
    await want(scene, job, PAUSE)
    before = await scene.parts(job)

    await want(scene, job, RUN)

    after = await scene.parts(job)
    assert all(new["generation"] > old["generation"] for new, old in zip(after, before, strict=True))
    assert [(part["announcements"], part["announced_at"]) for part in after] == [(0, None)] * 2


async def test_a_job_that_was_paused_before_anybody_touched_it_has_not_started(scene: Scene) -> None:
    job = await scene.job()

    states = [await want(scene, job, PAUSE), await want(scene, job, RUN)]

    assert states == ["paused", "queued"]
    assert (await scene.one("job", job.id))["started_at"] is None


async def test_a_paused_job_whose_last_part_finishes_has_ended(scene: Scene) -> None:
    job = await scene.planned(takes=1)
    claimed = await scene.claim_next(job)
    await want(scene, job, PAUSE)

    await scene.render(claimed)

    assert (await scene.states(job))[0] == "completed"


@pytest.mark.parametrize(("wanted", "state"), [(CANCEL, "cancelled"), (EXPIRE, "expired")])
async def test_queued_to_cancelled_by_cancel_and_expire_which_reach_everything_that_waits_at_once(
    scene: Scene, wanted: Wish, state: str
) -> None:
    waiting, planned = await scene.job(videos=2), await scene.planned(takes=6)
    await scene.sql("UPDATE part SET announced_at = now() WHERE state = 'queued'")

    ended = [await want(scene, job, wanted) for job in (waiting, planned)]

    assert ended == [state, state]
    assert await scene.states(waiting) == (state, ["cancelled"] * 2, ["cancelled"] * 2, [])
    assert await scene.states(planned) == (state, ["cancelled"], ["done", *["cancelled"] * 2], ["cancelled"] * 6)
    assert await scene.sql("SELECT bytes FROM storage") == [{"bytes": 3 * SIZE}]


async def test_a_job_cancelled_before_anybody_touched_it_has_ended_and_not_started(scene: Scene) -> None:
    job = await scene.job()

    await want(scene, job, CANCEL)

    row = await scene.one("job", job.id)
    assert (row["started_at"], row["ended_at"] is not None) == (None, True)


async def test_cancel_keeps_what_was_finished_and_stops_what_runs(scene: Scene) -> None:
    job = await scene.planned(takes=7)
    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)

    state = await want(scene, job, CANCEL)

    assert state == "cancelling"
    assert (await scene.states(job))[2:] == (["done", "running", "cancelled"], ["completed", *["cancelled"] * 6])
    await parts.release(scene.database, claimed, TIMING, blocked=False)
    assert (await scene.states(job))[0] == "cancelled"


async def test_a_job_whose_time_is_over_expires_and_the_others_stay(scene: Scene) -> None:
    due, other = await end(scene, "completed"), await end(scene, "failed")
    await scene.sql("UPDATE job SET expires_at = now() WHERE id = %s", due.id)

    expired = [await expire_due(scene.database), await expire_due(scene.database)]

    row = await scene.one("job", due.id)
    assert expired == [1, 0]
    assert (row["state"], row["wish"], row["expired_because"]) == ("expired", EXPIRE, "age")
    assert (await scene.states(other))[0] == "failed"


async def test_a_job_keeps_its_results_for_its_own_retention(scene: Scene) -> None:
    job = await end(scene, "completed")

    kept = await scene.sql("SELECT expires_at - ended_at = retention AS so FROM job WHERE id = %s", job.id)

    assert kept == [{"so": True}]
