"""A person tries again: what goes back into the queue, with its counters new, and what is refused."""

import pytest

from retake.domain.states import Wish
from retake.store import parts
from retake.store.heartbeat import heartbeat
from retake.store.jobs import wish
from retake.store.retrying import NothingToRetry, retry
from retake.store.sources import SourceGone, sweep_source
from store.scene import BROKEN, ESTIMATE, RESULT, SIZE, TIMING, Accepted, Scene, rendered

pytestmark = pytest.mark.anyio


async def uninspected(scene: Scene, videos: int = 1) -> Accepted:
    """Every video failed before it got takes."""
    job = await scene.job(videos)
    for part in await scene.parts(job):
        await parts.fail_inspect(scene.database, await scene.claim(part["id"]), BROKEN, TIMING)
    return job


async def half(scene: Scene, **request: int) -> Accepted:
    """Take 1 of every video is completed, the others failed."""
    job = await scene.planned(**request)
    for part in await scene.parts(job, state="queued"):
        claimed = await scene.claim(part["id"])
        for index in part["indices"]:
            if index == 1:
                await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)
            else:
                await parts.fail_variation(scene.database, claimed, index, BROKEN, TIMING)
        await parts.finish_part(scene.database, claimed, TIMING)
    return job


async def test_done_to_queued_by_retry_of_an_inspect_that_failed(scene: Scene) -> None:
    job = await uninspected(scene)
    before = await scene.part(job)

    state = await retry(scene.database, job.id)

    video, part = await scene.one("video", job.video), await scene.part(job)
    assert state == "queued"
    assert await scene.states(job) == ("queued", ["queued"], ["queued"], [])
    assert (video["error_code"], video["error"], video["reserved"]) == (None, None, 2 * ESTIMATE)
    assert part["generation"] == before["generation"] + 1


async def test_variation_failed_to_queued_and_its_part_done_to_queued_by_retry(scene: Scene) -> None:
    job = await half(scene, takes=7)
    (completed,) = (take for take in await scene.variations(job.video) if take["state"] == "completed")

    await retry(scene.database, job.id)

    takes = await scene.variations(job.video)
    assert await scene.states(job) == (
        "processing", ["processing"], ["done", "queued", "queued"], ["completed", *["queued"] * 6],
    )  # fmt: skip
    assert takes[0] == completed
    assert [(take["error_code"], take["reserved"]) for take in takes[1:]] == [(None, ESTIMATE)] * 6


async def test_a_part_whose_takes_are_all_completed_stays_done(scene: Scene) -> None:
    job = await scene.planned(takes=6)
    first = await scene.claim_next(job)
    await scene.render(first)
    second = await scene.claim_next(job)
    await parts.fail_variation(scene.database, second, 6, BROKEN, TIMING)
    await parts.finish_part(scene.database, second, TIMING)

    await retry(scene.database, job.id)

    assert (await scene.states(job))[2] == ["done", "done", "queued"]


async def test_variation_cancelled_to_queued_and_its_part_cancelled_to_queued_by_retry(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    await wish(scene.database, job.id, Wish.CANCEL)

    await retry(scene.database, job.id)

    assert await scene.states(job) == ("processing", ["processing"], ["done", "queued"], ["queued"] * 2)
    assert (await scene.one("job", job.id))["wish"] == "run"


async def test_cancel_to_run_by_retry_of_a_job_cancelled_before_anybody_touched_it(scene: Scene) -> None:
    job = await scene.job(videos=2)
    await wish(scene.database, job.id, Wish.CANCEL)

    state = await retry(scene.database, job.id)

    assert state == "queued"
    assert (await scene.one("job", job.id))["wish"] == Wish.RUN
    assert await scene.states(job) == ("queued", ["queued"] * 2, ["queued"] * 2, [])


async def test_a_part_that_ended_by_its_worker_under_cancel_is_queued_for_its_cancelled_takes(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, Wish.CANCEL)
    await parts.finish_part(scene.database, claimed, TIMING)

    await retry(scene.database, job.id)

    assert await scene.states(job) == ("processing", ["processing"], ["done", "queued"], ["queued"] * 2)


async def test_a_retried_job_has_not_ended_and_ends_anew(scene: Scene) -> None:
    job = await half(scene, takes=2)
    await scene.sql("UPDATE job SET ended_at = ended_at - interval '5 h', expires_at = expires_at - interval '5 h'")
    before = await scene.one("job", job.id)

    await retry(scene.database, job.id)

    meanwhile = await scene.one("job", job.id)
    await scene.render(await scene.claim_next(job))
    after = await scene.one("job", job.id)
    assert (meanwhile["ended_at"], meanwhile["expires_at"]) == (None, None)
    assert meanwhile["started_at"] == before["started_at"]
    assert after["state"] == "completed"
    assert after["expires_at"] > before["expires_at"]


async def test_the_counters_of_a_retried_part_and_its_takes_start_anew(scene: Scene) -> None:
    job = await half(scene, takes=2)
    await scene.sql(
        "UPDATE part SET failures = 4, releases = 3, announcements = 2, not_before = now() + interval '1 h'"
    )
    await scene.sql("UPDATE variation SET losses = 1")

    await retry(scene.database, job.id)

    part = await scene.part(job, kind="render")
    _, take = await scene.variations(job.video)
    assert (part["failures"], part["releases"], part["announcements"], take["losses"]) == (0, 0, 0, 0)
    assert await scene.claim(part["id"])


async def test_only_retry_takes_progress_back(scene: Scene) -> None:
    job = await half(scene, takes=4)
    before = await scene.one("video", job.video)

    await retry(scene.database, job.id)

    assert before["progress"] == 1
    assert (await scene.one("video", job.video))["progress"] == 0.25


async def test_one_video_is_retried_alone(scene: Scene) -> None:
    job = await uninspected(scene, videos=3)

    await retry(scene.database, job.id, job.videos[1])

    assert (await scene.states(job))[1] == ["failed", "queued", "failed"]


async def test_a_failed_video_is_retried_while_the_others_go_on(scene: Scene) -> None:
    job = await scene.job(videos=2)
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)
    running = await scene.claim_next(job)

    await retry(scene.database, job.id)

    assert (await scene.states(job))[:3] == ("processing", ["queued", "processing"], ["queued", "running"])
    assert (await heartbeat(scene.database, running, {}, TIMING)).wish is Wish.RUN


async def test_a_failed_video_of_a_paused_job_waits_for_its_resume(scene: Scene) -> None:
    job = await scene.job(videos=2)
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)
    await wish(scene.database, job.id, Wish.PAUSE)

    state = await retry(scene.database, job.id)

    assert state == "paused"
    assert (await scene.one("job", job.id))["wish"] == "pause"


async def test_a_job_that_ended_under_pause_runs_when_it_is_retried(scene: Scene) -> None:
    job = await scene.planned(takes=1)
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, Wish.PAUSE)
    await parts.fail_variation(scene.database, claimed, 1, BROKEN, TIMING)
    await parts.finish_part(scene.database, claimed, TIMING)

    state = await retry(scene.database, job.id)

    assert state == "processing"
    assert (await scene.one("job", job.id))["wish"] == "run"


async def test_what_is_completed_has_nothing_to_retry(scene: Scene) -> None:
    job = await scene.ended()

    with pytest.raises(NothingToRetry) as refused:
        await retry(scene.database, job.id)

    assert refused.value.state == "completed"


async def test_what_waits_or_runs_has_nothing_to_retry(scene: Scene) -> None:
    job = await scene.job(videos=2)
    await scene.claim_next(job)

    for video in (None, *job.videos):
        with pytest.raises(NothingToRetry):
            await retry(scene.database, job.id, video)


async def test_a_video_of_another_job_has_nothing_to_retry_in_this_one(scene: Scene) -> None:
    job, other = await uninspected(scene), await uninspected(scene)

    with pytest.raises(NothingToRetry):
        await retry(scene.database, job.id, other.video)


async def test_a_job_that_is_cancelling_is_not_retried_before_it_has_ended(scene: Scene) -> None:
    job = await scene.job(videos=2)
    await scene.claim_next(job)
    await wish(scene.database, job.id, Wish.CANCEL)
    before = await scene.everything()

    with pytest.raises(NothingToRetry) as refused:
        await retry(scene.database, job.id)

    assert refused.value.state == "cancelling"
    assert await scene.everything() == before


async def test_a_deleted_job_is_not_retried(scene: Scene) -> None:
    job = await uninspected(scene)
    await wish(scene.database, job.id, Wish.EXPIRE, "deleted")

    with pytest.raises(NothingToRetry) as refused:
        await retry(scene.database, job.id)

    assert refused.value.state == "expired"


async def test_a_video_whose_source_is_gone_is_not_retried_and_nothing_changes(scene: Scene) -> None:
    job = await uninspected(scene)
    assert await sweep_source(scene.database)
    before = await scene.everything()

    with pytest.raises(SourceGone):
        await retry(scene.database, job.id)

    assert await scene.everything() == before


async def test_a_video_whose_source_is_gone_does_not_keep_the_others_from_a_retry(scene: Scene) -> None:
    job = await scene.job(videos=2)
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)
    await sweep_source(scene.database)
    await wish(scene.database, job.id, Wish.CANCEL)

    await retry(scene.database, job.id)

    assert (await scene.states(job))[1] == ["failed", "queued"]


async def test_a_retry_promises_bytes_for_what_it_queues_and_keeps_what_is_stored(scene: Scene) -> None:
    job = await half(scene, takes=3)

    await retry(scene.database, job.id)

    assert await scene.sql("SELECT bytes FROM storage") == [{"bytes": SIZE + RESULT + 2 * ESTIMATE}]
