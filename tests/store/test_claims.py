"""A part's time with a worker: claimed, kept by heartbeats, given back."""

import asyncio

import pytest

from retake.domain.states import Wish
from retake.domain.work import RECIPE_VERSION, Claim, PartKind
from retake.store import parts
from retake.store.heartbeat import heartbeat
from retake.store.jobs import wish
from retake.store.work import work_of
from store.scene import SIZE, TIMING, Accepted, Scene, rendered

pytestmark = pytest.mark.anyio

STOPPED = [(Wish.CANCEL, None), (Wish.EXPIRE, "deleted")]


async def try_claim(scene: Scene, part: int, version: int = RECIPE_VERSION) -> Claim | None:
    return await parts.claim(scene.database, part, "worker", version, TIMING)


async def seconds_until(scene: Scene, job: Accepted, column: str) -> float:
    (row,) = await scene.sql(
        f"SELECT extract(epoch FROM {column} - now())::float8 AS left FROM part WHERE job_id = %s", job.id
    )
    return float(row["left"])


async def test_queued_to_running_by_claim(scene: Scene) -> None:
    job = await scene.job()
    part = await scene.part(job)
    await scene.sql("UPDATE part SET announced_at = now()")

    claimed = await scene.claim(part["id"], "worker-7")

    running = await scene.part(job)
    assert claimed == Claim(part["id"], running["claim"], PartKind.INSPECT, job.id, job.video, failures=0)
    assert (running["state"], running["worker"], running["announced_at"]) == ("running", "worker-7", None)
    assert 55 < await seconds_until(scene, job, "lease_until") <= TIMING.lease
    assert await scene.states(job) == ("processing", ["processing"], ["running"], [])
    assert (await scene.one("job", job.id))["started_at"] is not None


async def test_a_claim_number_is_never_used_twice(scene: Scene) -> None:
    job = await scene.job()
    numbers = []

    for _ in range(3):
        claimed = await scene.claim_next(job)
        await parts.release(scene.database, claimed, TIMING, blocked=False)
        numbers.append(claimed.number)

    assert numbers == sorted(set(numbers))


async def test_of_many_claims_of_one_part_at_once_one_is_had(scene: Scene) -> None:
    part = await scene.part(await scene.job())

    had = await asyncio.gather(*(try_claim(scene, part["id"]) for _ in range(8)))

    assert sum(claimed is not None for claimed in had) == 1


async def test_a_part_that_is_done_is_not_to_be_had(scene: Scene) -> None:
    job = await scene.ended()

    assert [await try_claim(scene, part["id"]) for part in await scene.parts(job)] == [None, None]


async def test_a_part_nobody_knows_is_not_to_be_had(scene: Scene) -> None:
    assert await try_claim(scene, 4711) is None


@pytest.mark.parametrize(("wanted", "because"), [(Wish.PAUSE, None), *STOPPED])
async def test_a_part_is_not_to_be_had_under_the_wish(scene: Scene, wanted: Wish, because: str | None) -> None:
    job = await scene.job()
    await wish(scene.database, job.id, wanted, because)

    assert await try_claim(scene, (await scene.part(job))["id"]) is None


async def test_a_part_that_has_to_wait_is_not_to_be_had_before_its_time(scene: Scene) -> None:
    job = await scene.job()
    await scene.sql("UPDATE part SET not_before = now() + interval '1 h'")
    early = await try_claim(scene, (await scene.part(job))["id"])
    await scene.due(job)

    assert early is None
    assert await try_claim(scene, (await scene.part(job))["id"]) is not None


async def test_a_part_of_a_newer_release_is_not_to_be_had_by_an_older_worker(scene: Scene) -> None:
    part = await scene.part(await scene.job())

    assert await try_claim(scene, part["id"], RECIPE_VERSION - 1) is None
    assert await try_claim(scene, part["id"], RECIPE_VERSION + 1) is not None


async def test_running_to_queued_by_release_of_a_worker_that_drains(scene: Scene) -> None:
    job = await scene.job()
    before = await scene.part(job)
    claimed = await scene.claim_next(job)

    await parts.release(scene.database, claimed, TIMING, blocked=False)

    after = await scene.part(job)
    assert await scene.states(job) == ("queued", ["queued"], ["queued"], [])
    assert (after["generation"], after["releases"], after["failures"]) == (before["generation"] + 1, 0, 0)
    assert await scene.claim(after["id"])


async def test_running_to_queued_by_release_of_a_worker_that_is_blocked_and_the_waits_double(scene: Scene) -> None:
    job = await scene.job()
    waits = []

    for _ in range(9):
        claimed = await scene.claim_next(job)
        await parts.release(scene.database, claimed, TIMING, blocked=True)
        waits.append(round(await seconds_until(scene, job, "not_before")))
        await scene.due(job)

    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert (await scene.part(job))["releases"] == 9
    assert (await scene.part(job))["failures"] == 0


async def test_a_part_released_a_thousand_times_still_waits_no_longer_than_the_most(scene: Scene) -> None:
    job = await scene.job()
    await scene.sql("UPDATE part SET releases = 1000")

    await parts.release(scene.database, await scene.claim_next(job), TIMING, blocked=True)

    assert round(await seconds_until(scene, job, "not_before")) == TIMING.retry_most


@pytest.mark.parametrize(("wanted", "because"), STOPPED)
async def test_running_to_cancelled_by_release(scene: Scene, wanted: Wish, because: str | None) -> None:
    job = await scene.planned(takes=2)
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, wanted, because)
    meanwhile = await scene.states(job)

    await parts.release(scene.database, claimed, TIMING, blocked=True)

    ended = "cancelled" if wanted is Wish.CANCEL else "expired"
    assert meanwhile == ("cancelling", ["processing"], ["done", "running"], ["cancelled"] * 2)
    assert await scene.states(job) == (ended, ["cancelled"], ["done", "cancelled"], ["cancelled"] * 2)


async def test_running_to_queued_by_release_under_pause_and_nobody_gets_it(scene: Scene) -> None:
    job = await scene.job()
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, Wish.PAUSE)

    await parts.release(scene.database, claimed, TIMING, blocked=False)

    assert await scene.states(job) == ("paused", ["queued"], ["queued"], [])
    assert await try_claim(scene, claimed.part) is None


async def test_a_heartbeat_extends_the_lease_tells_frames_and_brings_the_wish(scene: Scene) -> None:
    job = await scene.job()
    claimed = await scene.claim_next(job)
    await scene.lapse(claimed.part)

    heard = await heartbeat(scene.database, claimed, {1: 25, 2: 3}, TIMING)

    assert heard.wish is Wish.RUN
    assert 55 < await seconds_until(scene, job, "lease_until") <= TIMING.lease
    assert (await scene.part(job))["frames"] == {"1": 25, "2": 3}
    await wish(scene.database, job.id, Wish.CANCEL)
    assert (await heartbeat(scene.database, claimed, {}, TIMING)).wish is Wish.CANCEL


async def test_a_claimer_gets_all_it_needs_and_only_the_takes_that_wait(scene: Scene) -> None:
    job = await scene.planned(takes=3, options={"zoom": True})
    first = await scene.claim_next(job)
    await parts.finish_variation(scene.database, first, rendered(2, first), TIMING)
    await parts.release(scene.database, first, TIMING, blocked=False)

    work = await work_of(scene.database, await scene.claim_next(job))

    recipes = {n: {"index": n, "output": {"profile": "fast"}} for n in (1, 3)}
    assert {take.index: take.recipe for take in work.takes} == recipes
    assert (work.name, work.size, work.variations, work.seed) == ("0.mp4", SIZE, 3, 1)
    assert (work.options, work.probe) == ({"zoom": True}, {"frames": 1})
    assert [chunk.size for chunk in work.chunks] == [SIZE]
