"""What a worker's results make of parts, variations, videos and jobs."""

import pytest

from retake.domain.states import Wish
from retake.domain.work import RECIPE_VERSION
from retake.store import parts
from retake.store.jobs import wish
from store.scene import BROKEN, RESERVE, RESULT, TIMING, Scene, plan, rendered

pytestmark = pytest.mark.anyio

STOPPED = [(Wish.CANCEL, None), (Wish.EXPIRE, "deleted")]


async def test_running_to_done_by_inspect(scene: Scene) -> None:
    job = await scene.job(takes=3)
    claimed = await scene.claim_next(job)

    await parts.finish_inspect(scene.database, claimed, plan(3), RECIPE_VERSION, TIMING)

    video = await scene.one("video", job.video)
    assert await scene.states(job) == ("processing", ["processing"], ["done", "queued"], ["queued"] * 3)
    assert (video["probe"], video["reserved"]) == ({"frames": 1}, 0)
    assert (await scene.one("source", video["source_id"]))["sha256"] == "sha of the source"
    assert [take["reserved"] for take in await scene.variations(job.video)] == [RESERVE] * 3
    assert (await scene.part(job, kind="render"))["indices"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("takes", "cost", "cut"),
    [
        (12, 1, [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]]),
        (6, 25, [[1, 2], [3, 4], [5, 6]]),
        (4, 20, [[1, 2, 3], [4]]),
        (3, 60, [[1], [2], [3]]),
        (2, 1000, [[1], [2]]),
    ],
)
async def test_render_parts_are_cut_by_cost(scene: Scene, takes: int, cost: float, cut: list[list[int]]) -> None:
    job = await scene.planned(takes=takes, cost=cost)

    assert [part["indices"] for part in await scene.parts(job, kind="render")] == cut


async def test_a_video_of_which_no_takes_are_wanted_is_completed_by_inspect(scene: Scene) -> None:
    job = await scene.planned(takes=0, kind="catalog")

    assert await scene.states(job) == ("completed", ["completed"], ["done"], [])


@pytest.mark.parametrize(("wanted", "because"), STOPPED)
async def test_what_inspect_plans_is_born_cancelled(scene: Scene, wanted: Wish, because: str | None) -> None:
    job = await scene.job()
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, wanted, because)

    await parts.finish_inspect(scene.database, claimed, plan(2), RECIPE_VERSION, TIMING)

    ended = "cancelled" if wanted is Wish.CANCEL else "expired"
    assert await scene.states(job) == (ended, ["cancelled"], ["done", "cancelled"], ["cancelled"] * 2)


async def test_running_to_done_by_an_inspect_that_fails_and_the_other_videos_go_on(scene: Scene) -> None:
    job = await scene.job(videos=2)
    claimed = await scene.claim_next(job)

    await parts.fail_inspect(scene.database, claimed, BROKEN, TIMING)

    video = await scene.one("video", claimed.video)
    assert await scene.states(job) == ("processing", ["failed", "queued"], ["done", "queued"], [])
    assert (video["error_code"], video["error"], video["reserved"]) == ("broken", "It is broken.", 0)


async def test_running_to_done_by_its_worker(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)

    await scene.render(claimed)

    assert await scene.states(job) == ("completed", ["completed"], ["done", "done"], ["completed"] * 2)
    done = await scene.part(job, kind="render")
    assert (done["claim"], done["worker"], done["lease_until"], done["frames"]) == (None, None, None, {})


async def test_a_part_with_a_take_that_waits_is_not_done(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)
    before = await scene.everything()

    with pytest.raises(AssertionError, match="none of its takes is queued"):
        await parts.finish_part(scene.database, claimed, TIMING)

    assert await scene.everything() == before


async def test_variation_queued_to_completed(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)

    wanted = await parts.finish_variation(scene.database, claimed, rendered(2, claimed), TIMING)

    _, take = await scene.variations(job.video)
    assert wanted is True
    assert (take["state"], take["claim"], take["size"]) == ("completed", claimed.number, RESULT)
    assert (take["key"], take["reserved"]) == (f"{job.video}/2.{claimed.number}.mp4", 0)
    assert await scene.states(job) == ("processing", ["processing"], ["done", "running"], ["queued", "completed"])


async def test_variation_queued_to_failed(scene: Scene) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)

    wanted = await parts.fail_variation(scene.database, claimed, 1, BROKEN, TIMING)

    take, _ = await scene.variations(job.video)
    assert wanted is True
    assert (take["state"], take["error_code"], take["error"]) == ("failed", "broken", "It is broken.")
    await scene.render(claimed)
    assert await scene.states(job) == ("completed", ["completed"], ["done", "done"], ["failed", "completed"])


@pytest.mark.parametrize(("wanted", "because"), STOPPED)
async def test_variation_queued_to_cancelled_and_what_was_finished_before_stays(
    scene: Scene, wanted: Wish, because: str | None
) -> None:
    job = await scene.planned(takes=3)
    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)

    await wish(scene.database, job.id, wanted, because)

    assert (await scene.states(job))[3] == ["completed", "cancelled", "cancelled"]
    await parts.finish_part(scene.database, claimed, TIMING)


@pytest.mark.parametrize("ended", ["completed", "failed", "cancelled"])
async def test_a_variation_moves_only_from_queued(scene: Scene, ended: str) -> None:
    job = await scene.planned(takes=1)
    claimed = await scene.claim_next(job)
    match ended:
        case "completed":
            await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)
        case "failed":
            await parts.fail_variation(scene.database, claimed, 1, BROKEN, TIMING)
        case _:
            await wish(scene.database, job.id, Wish.CANCEL)
    before = await scene.variations(job.video)

    completed = await parts.finish_variation(scene.database, claimed, rendered(1, claimed, size=9), TIMING)
    failed = await parts.fail_variation(scene.database, claimed, 1, BROKEN, TIMING)

    assert (completed, failed) == (False, False)
    assert await scene.variations(job.video) == before
    await parts.finish_part(scene.database, claimed, TIMING)
