"""What is left to do, and what work takes, as it is learnt from what it took."""

from uuid import UUID

import pytest

from retake.domain.forecast import Outstanding
from retake.domain.states import Wish
from retake.domain.work import RECIPE_VERSION
from retake.store import fleet, parts
from retake.store.heartbeat import heartbeat
from retake.store.jobs import wish
from retake.store.outstanding import depth, outstanding
from retake.store.pace import learn
from retake.store.tombstones import forget
from retake.store.workspaces import ensure_workspace
from store.scene import SIZE, TIMING, Accepted, Scene, plan, rendered

pytestmark = pytest.mark.anyio


async def left(scene: Scene) -> dict[UUID, Outstanding]:
    work, _ = await outstanding(scene.database, TIMING)
    return {item.job: item for item in work}


async def test_a_video_that_nobody_looked_at_is_guessed_by_its_size(scene: Scene) -> None:
    small = await scene.job(takes=6)
    large = await scene.accept(scene.workspace, [("large.mp4", await scene.source(100 * SIZE))], 6)

    found = await left(scene)

    assert [item.parts for item in found.values()] == [3, 3]
    assert found[large.id].seconds > found[small.id].seconds > 0
    assert found[small.id].untouched


async def test_a_plan_replaces_the_guess_and_what_is_done_is_left_out(scene: Scene) -> None:
    job = await scene.planned(takes=6, cost=10)
    before = (await left(scene))[job.id]
    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(1, claimed), TIMING)

    after = (await left(scene))[job.id]

    assert (before.seconds, before.parts) == (60, 2)
    assert (after.seconds, after.parts) == (pytest.approx(50), 2)


async def test_frames_of_a_take_in_work_count(scene: Scene) -> None:
    job = await scene.job(takes=2)
    await parts.finish_inspect(scene.database, await scene.claim_next(job), plan(2, cost=30), RECIPE_VERSION, TIMING)
    await scene.sql("""UPDATE video SET probe = '{"frames": 100}'""")
    claimed = await scene.claim_next(job)

    await heartbeat(scene.database, claimed, {1: 50}, TIMING)

    assert (await left(scene))[job.id].seconds == pytest.approx(45)


@pytest.mark.parametrize("wanted", [Wish.PAUSE, Wish.CANCEL])
async def test_what_nobody_may_work_on_is_not_outstanding(scene: Scene, wanted: Wish) -> None:
    job = await scene.planned()
    await scene.ended()
    await wish(scene.database, job.id, wanted)

    assert await left(scene) == {}


async def test_what_is_worked_on_and_what_may_be_is_counted(scene: Scene) -> None:
    job = await scene.planned(takes=6)
    await scene.ended()
    await scene.claim_next(job)
    both = await depth(scene.database)

    await wish(scene.database, job.id, Wish.PAUSE)

    assert both == {"queued": 1, "running": 1, "parts": 2}
    assert await depth(scene.database) == {"queued": 0, "running": 1, "parts": 1}


async def test_only_slots_of_workers_that_live_count(scene: Scene) -> None:
    for name in ("alive", "lost", "gone"):
        await fleet.seen(scene.database, name, version="1", recipe_version=RECIPE_VERSION, slots=2)
    await scene.sql("UPDATE worker SET seen_at = now() - interval '1 hour' WHERE name = 'lost'")
    await fleet.gone(scene.database, "gone")

    _, slots = await outstanding(scene.database, TIMING)

    assert slots == 2


async def finished(scene: Scene, took: float) -> Accepted:
    """A job of two takes, thought to take 20 seconds together."""
    job = await scene.planned(takes=2, cost=10)
    claimed = await scene.claim_next(job)
    await scene.render(claimed)
    await learn(scene.database, "worker", claimed, took)
    return job


async def test_the_next_guess_is_corrected_by_what_the_last_parts_took(scene: Scene) -> None:
    await fleet.seen(scene.database, "worker", version="1", recipe_version=RECIPE_VERSION, slots=2)
    for _ in range(3):
        await finished(scene, took=60)

    job = await scene.planned(takes=2, cost=10)

    assert (await left(scene))[job.id].seconds == pytest.approx(60)


async def test_what_was_thought_is_told_to_be_held_against_what_it_took(scene: Scene) -> None:
    await finished(scene, took=40)
    job = await scene.planned(takes=2, cost=10)
    claimed = await scene.claim_next(job)
    await scene.render(claimed)

    thought = await learn(scene.database, "worker", claimed, 30)

    assert thought == pytest.approx(40)


async def test_a_part_of_which_nothing_came_teaches_nothing(scene: Scene) -> None:
    job = await scene.planned(takes=2, cost=10)

    assert await learn(scene.database, "worker", await scene.claim_next(job), 30) is None
    assert await scene.sql("SELECT FROM pace") == []


async def test_the_fleet_says_who_works_on_what_and_masks_the_work_of_others(scene: Scene) -> None:
    other = await ensure_workspace(scene.database, "other")
    await fleet.seen(scene.database, "worker", version="1", recipe_version=RECIPE_VERSION, slots=2)
    await fleet.seen(scene.database, "idle", version="1", recipe_version=RECIPE_VERSION, slots=1)
    await fleet.gone(scene.database, "idle")
    ours, theirs = await scene.planned(takes=2), await scene.planned(takes=2, workspace=other)
    for job in (ours, theirs):
        await scene.claim_next(job)

    busy, gone = await fleet.fleet(scene.database, scene.workspace, TIMING)

    assert (busy["name"], busy["status"], gone["name"], gone["status"]) == ("worker", "active", "idle", "gone")
    assert [(part["kind"], part["takes"], part["job"]) for part in busy["parts"]] == [
        ("render", 2, str(ours.id)), ("render", 2, None),
    ]  # fmt: skip
    assert gone["parts"] == []


async def test_the_speed_of_a_worker_is_what_it_made_in_the_time_it_took(scene: Scene) -> None:
    await fleet.seen(scene.database, "worker", version="1", recipe_version=RECIPE_VERSION, slots=1)
    job = await scene.planned(takes=2, cost=10)
    claimed = await scene.claim_next(job)
    await scene.render(claimed)
    await scene.sql("UPDATE variation SET duration = 15")

    await learn(scene.database, "worker", claimed, 10)

    [worker] = await fleet.fleet(scene.database, scene.workspace, TIMING)
    assert worker["speed"] == pytest.approx(3)


async def test_workers_are_forgotten_a_day_after_they_were_last_heard_of(scene: Scene) -> None:
    for name in ("old", "young"):
        await fleet.seen(scene.database, name, version="1", recipe_version=RECIPE_VERSION, slots=1)
    await scene.sql("UPDATE worker SET seen_at = now() - interval '25 hours' WHERE name = 'old'")

    assert await forget(scene.database, "workers", 10) == 1
    assert [row["name"] for row in await scene.sql("SELECT name FROM worker")] == ["young"]
