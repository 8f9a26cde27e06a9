"""How far a video is, as heartbeats and commits leave it."""

import pytest

from retake.domain.work import RECIPE_VERSION, Claim, Plan, Planned
from retake.store import parts
from retake.store.heartbeat import Beat, heartbeat
from retake.store.retrying import retry
from store.scene import BROKEN, RESERVE, TIMING, Accepted, Scene, rendered

pytestmark = pytest.mark.anyio

FRAMES = 200


async def planned(scene: Scene, takes: int, per_part: int = 5) -> Accepted:
    """A video of 200 frames."""
    job = await scene.job(takes=takes)
    inspecting = await scene.claim_next(job)
    each = [Planned(index, {"index": index}, RESERVE, 60 / per_part) for index in range(1, takes + 1)]
    await parts.finish_inspect(
        scene.database, inspecting, Plan({"frames": FRAMES}, "sha", each), RECIPE_VERSION, TIMING
    )
    return job


async def progress(scene: Scene, job: Accepted) -> float:
    return round(float((await scene.one("video", job.video))["progress"]), 4)


async def beat(scene: Scene, claimed: Claim, frames: dict[int, int]) -> Beat:
    return await heartbeat(scene.database, claimed, frames, TIMING)


async def test_frames_count_as_soon_as_they_are_told(scene: Scene) -> None:
    job = await planned(scene, takes=4)
    claimed = await scene.claim_next(job)

    heard = await beat(scene, claimed, {1: 100, 2: 100, 3: 50, 4: 0})

    assert await progress(scene, job) == round(250 / 800, 4)
    assert heard.progress == pytest.approx(250 / 800)
    assert (heard.workspace, heard.due) == (scene.workspace, FRAMES)


async def test_a_take_that_ended_counts_whole_however_it_ended(scene: Scene) -> None:
    job = await planned(scene, takes=4)
    claimed = await scene.claim_next(job)

    await parts.finish_variation(scene.database, claimed, rendered(2, claimed), TIMING)
    await parts.fail_variation(scene.database, claimed, 3, BROKEN, TIMING)

    assert await progress(scene, job) == 0.5


async def test_more_frames_than_were_due_count_as_all_of_them(scene: Scene) -> None:
    job = await planned(scene, takes=2)
    claimed = await scene.claim_next(job)

    await beat(scene, claimed, {1: 3 * FRAMES})

    assert await progress(scene, job) == 0.5


async def test_parts_of_one_video_add_up(scene: Scene) -> None:
    job = await planned(scene, takes=4, per_part=2)
    one, other = await scene.claim_next(job), await scene.claim_next(job)

    await beat(scene, one, {1: 100, 2: 100})
    await beat(scene, other, {3: 200, 4: 100})

    assert await progress(scene, job) == round(500 / 800, 4)


async def test_a_part_that_starts_anew_takes_nothing_back(scene: Scene) -> None:
    job = await planned(scene, takes=2)
    claimed = await scene.claim_next(job)
    await beat(scene, claimed, {1: 150, 2: 150})

    await parts.release(scene.database, claimed, TIMING, blocked=False)
    again = await scene.claim_next(job)
    heard = await beat(scene, again, {1: 10, 2: 10})

    assert await progress(scene, job) == 0.75
    assert heard.progress == 0.75


async def test_only_a_retry_lowers_it(scene: Scene) -> None:
    job = await planned(scene, takes=2)
    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)
    await parts.fail_variation(scene.database, claimed, 2, BROKEN, TIMING)
    await parts.finish_part(scene.database, claimed, TIMING)
    assert await progress(scene, job) == 1

    await retry(scene.database, job.id)

    assert await progress(scene, job) == 0.5


async def test_a_video_that_is_not_planned_yet_is_nowhere(scene: Scene) -> None:
    job = await scene.job()
    claimed = await scene.claim_next(job)

    heard = await beat(scene, claimed, {})

    assert (heard.progress, heard.due) == (0, 0)
    assert await progress(scene, job) == 0
