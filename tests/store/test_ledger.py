"""The ledger after each move: what it says, and that it is the sum of what it stands for."""

import pytest

from retake.domain.states import Wish
from retake.domain.work import RECIPE_VERSION
from retake.store import parts
from retake.store.jobs import wish
from retake.store.retrying import retry
from retake.store.sources import sweep_source
from retake.store.workspaces import ensure_workspace
from store.audit import complaints
from store.scene import BROKEN, ESTIMATE, RESERVE, RESULT, SIZE, TIMING, Accepted, Scene, plan, rendered

pytestmark = pytest.mark.anyio


async def used(scene: Scene) -> int:
    assert await complaints(scene.database) == []
    (row,) = await scene.sql("SELECT bytes FROM storage WHERE workspace = %s", scene.workspace)
    return int(row["bytes"])


async def test_the_estimate_becomes_a_plan_and_the_plan_becomes_bytes(scene: Scene) -> None:
    job = await scene.job(takes=3)
    assert await used(scene) == SIZE + 3 * ESTIMATE

    claimed = await scene.claim_next(job)
    await parts.finish_inspect(scene.database, claimed, plan(3), RECIPE_VERSION, TIMING)
    assert await used(scene) == SIZE + 3 * RESERVE

    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)
    assert await used(scene) == SIZE + 2 * RESERVE + RESULT

    await parts.fail_variation(scene.database, claimed, 2, BROKEN, TIMING)
    assert await used(scene) == SIZE + RESERVE + RESULT

    await wish(scene.database, job.id, Wish.CANCEL)
    assert await used(scene) == SIZE + RESULT

    await parts.finish_part(scene.database, claimed, TIMING)
    await retry(scene.database, job.id)
    assert await used(scene) == SIZE + RESULT + 2 * ESTIMATE

    await scene.render(await scene.claim_next(job))
    assert await used(scene) == SIZE + 3 * RESULT

    await sweep_source(scene.database)
    assert await used(scene) == 3 * RESULT


async def test_a_take_that_needs_more_than_was_promised_is_counted_whole(scene: Scene) -> None:
    job = await scene.planned(takes=1)
    claimed = await scene.claim_next(job)

    await parts.finish_variation(scene.database, claimed, rendered(1, claimed, size=9 * RESERVE), TIMING)

    assert await used(scene) == SIZE + 9 * RESERVE
    await parts.finish_part(scene.database, claimed, TIMING)


async def cancelled(scene: Scene, job: Accepted) -> None:
    await wish(scene.database, job.id, Wish.CANCEL)


async def cancelled_while_it_runs(scene: Scene, job: Accepted) -> None:
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, Wish.CANCEL)
    await parts.release(scene.database, claimed, TIMING, blocked=False)


async def planned_after_a_cancel(scene: Scene, job: Accepted) -> None:
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, Wish.CANCEL)
    await parts.finish_inspect(scene.database, claimed, plan(3), RECIPE_VERSION, TIMING)


async def useless(scene: Scene, job: Accepted) -> None:
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)


async def given_up(scene: Scene, job: Accepted) -> None:
    for _ in range(5):
        await scene.due(job)
        await scene.lose(await scene.claim_next(job))


@pytest.mark.parametrize(
    "end", [cancelled, cancelled_while_it_runs, planned_after_a_cancel, useless, given_up], ids=lambda end: end.__name__
)
async def test_what_was_promised_is_free_again_when_a_video_ends_without_takes(scene: Scene, end) -> None:
    job = await scene.job(takes=3)

    await end(scene, job)

    assert await used(scene) == SIZE
    await retry(scene.database, job.id)
    assert await used(scene) >= SIZE + 3 * ESTIMATE


async def test_a_loss_or_a_release_keeps_the_promise(scene: Scene) -> None:
    job = await scene.planned(takes=2)

    await scene.lose(await scene.claim_next(job))
    await parts.release(scene.database, await scene.claim_next(job), TIMING, blocked=True)

    assert await used(scene) == SIZE + 2 * RESERVE


async def test_what_a_part_given_up_had_promised_is_free_again(scene: Scene) -> None:
    job = await scene.planned(takes=2)

    await given_up(scene, job)

    assert await used(scene) == SIZE


async def test_each_workspace_has_its_own(scene: Scene) -> None:
    others = await ensure_workspace(scene.database, "others")

    await scene.ended(takes=1, workspace=others)

    assert await used(scene) == 0
    assert await scene.sql("SELECT sum(bytes)::int AS bytes FROM storage") == [{"bytes": SIZE + RESULT}]
