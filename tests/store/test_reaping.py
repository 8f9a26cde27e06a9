"""Parts whose worker was lost (rule 8): taken back, tried again, given up; and when nobody may be taken for lost."""

import asyncio
from dataclasses import replace

import pytest

from conftest import eventually
from retake.domain.errors import WORKER_LOST
from retake.domain.states import Wish
from retake.domain.work import Claim
from retake.store import parts
from retake.store.heartbeat import heartbeat
from retake.store.jobs import wish
from retake.store.reaping import Reaped, reap
from store.scene import AT_ONCE, TIMING, Accepted, Scene, rendered

pytestmark = pytest.mark.anyio

AGED = replace(TIMING, lease=86400)
"""A lease longer than the session's Postgres has been running."""


async def lost(scene: Scene, job: Accepted, trying: int | None = None) -> Claim:
    """A claim whose worker went away, perhaps while it tried a take alone."""
    claimed = await scene.claim_next(job)
    if trying is not None:
        await parts.name_take(scene.database, claimed, trying)
    await scene.lapse(claimed.part)
    return claimed


async def lose(scene: Scene, job: Accepted, trying: int | None = None) -> None:
    await scene.due(job)
    await lost(scene, job, trying)
    assert (await reap(scene.database, AT_ONCE)).parts == 1


async def wait_of(scene: Scene, job: Accepted) -> float:
    (row,) = await scene.sql(
        "SELECT greatest(extract(epoch FROM not_before - now()), 0)::float8 AS wait FROM part WHERE job_id = %s", job.id
    )
    return round(row["wait"])


async def test_running_to_queued_by_reap_and_the_loss_is_told(scene: Scene) -> None:
    job = await scene.job()
    before = await scene.part(job)
    claimed = await lost(scene, job)

    reaped = await reap(scene.database, AT_ONCE)

    after = await scene.part(job)
    assert reaped == Reaped(quiet=False, parts=1)
    assert await scene.states(job) == ("queued", ["queued"], ["queued"], [])
    assert (after["failures"], after["generation"]) == (1, before["generation"] + 1)
    assert await scene.sql("SELECT body FROM event WHERE kind = 'lost'") == [
        {"body": {"videoId": str(job.video), "worker": "worker", "claim": claimed.number, "failures": 1}}
    ]


async def test_a_part_that_is_taken_back_has_waited_only_since_then(scene: Scene) -> None:
    job = await scene.job()
    await scene.sql("UPDATE part SET not_before = now() - interval '1 h'")
    await lost(scene, job)

    await reap(scene.database, AT_ONCE)

    assert await scene.sql("SELECT FROM part WHERE now() - not_before < interval '1 minute'") != []


async def test_a_part_whose_lease_lives_is_not_taken_back(scene: Scene) -> None:
    job = await scene.job()
    await scene.claim_next(job)

    assert (await reap(scene.database, AT_ONCE)).parts == 0


@pytest.mark.unsound("I1", why="leases are moved into the past, and one pass leaves some")
async def test_a_pass_takes_back_the_longest_lost_first_and_no_more_than_its_limit(scene: Scene) -> None:
    job = await scene.job(videos=3)
    for age, part in enumerate(await scene.parts(job)):
        claimed = await scene.claim(part["id"])
        await scene.sql(
            "UPDATE part SET lease_until = now() - %s * interval '1 h' WHERE id = %s", age + 1, claimed.part
        )

    await reap(scene.database, AT_ONCE, limit=2)

    assert (await scene.states(job))[2] == ["running", "queued", "queued"]


async def test_a_part_that_cannot_be_taken_back_keeps_no_other_from_it(scene: Scene) -> None:
    job = await scene.job(videos=3)
    claims = [await scene.claim(part["id"]) for part in await scene.parts(job)]
    for claimed in claims:
        await scene.lapse(claimed.part)
    stuck = f"CHECK (state = 'running' OR video_id <> '{claims[0].video}')"
    await scene.sql(f"ALTER TABLE part ADD CONSTRAINT stuck {stuck}")

    with pytest.raises(Exception, match="stuck"):
        await reap(scene.database, AT_ONCE)

    assert (await scene.states(job))[2] == ["running", "queued", "queued"]


@pytest.mark.parametrize(("wanted", "because"), [(Wish.CANCEL, None), (Wish.EXPIRE, "deleted")])
async def test_running_to_cancelled_by_reap(scene: Scene, wanted: Wish, because: str | None) -> None:
    inspecting, rendering = await scene.job(), await scene.planned(takes=2)
    for job in (inspecting, rendering):
        await lost(scene, job)
        await wish(scene.database, job.id, wanted, because)

    await reap(scene.database, AT_ONCE)

    ended = "cancelled" if wanted is Wish.CANCEL else "expired"
    assert await scene.states(inspecting) == (ended, ["cancelled"], ["cancelled"], [])
    assert await scene.states(rendering) == (ended, ["cancelled"], ["done", "cancelled"], ["cancelled"] * 2)


async def test_running_to_queued_by_reap_under_pause(scene: Scene) -> None:
    job = await scene.job()
    await lost(scene, job)
    await wish(scene.database, job.id, Wish.PAUSE)

    await reap(scene.database, AT_ONCE)

    assert (await scene.states(job))[:3] == ("paused", ["queued"], ["queued"])


async def test_the_first_retry_is_at_once_and_then_the_waits_double(scene: Scene) -> None:
    job = await scene.job()
    waits = []

    for _ in range(4):
        await lose(scene, job)
        waits.append(await wait_of(scene, job))

    assert waits == [0, 5, 10, 20]


async def test_running_to_done_by_the_fifth_loss_of_an_inspect_part(scene: Scene) -> None:
    job, other = await scene.job(), await scene.job()

    for _ in range(5):
        await lose(scene, job)

    video = await scene.one("video", job.video)
    assert await scene.states(job) == ("failed", ["failed"], ["done"], [])
    assert (video["error_code"], video["error"]) == (WORKER_LOST.code, WORKER_LOST.sentence)
    assert (await scene.states(other))[0] == "queued"


async def test_running_to_done_by_the_fifth_loss_of_a_render_part_and_its_finished_takes_stay(scene: Scene) -> None:
    job = await scene.planned(takes=7)
    claimed = await scene.claim_next(job)
    await parts.finish_variation(scene.database, claimed, rendered(2, claimed), TIMING)
    await parts.release(scene.database, claimed, TIMING, blocked=False)

    for _ in range(5):
        await lose(scene, job)

    gone = ["failed", "completed", "failed", "failed", "failed"]
    assert await scene.states(job) == (
        "processing", ["processing"], ["done", "done", "queued"], [*gone, "queued", "queued"],
    )  # fmt: skip
    assert {take["error_code"] for take in await scene.variations(job.video)} == {"worker_lost", None}


async def test_a_loss_while_a_take_is_tried_alone_counts_against_the_take_and_the_second_fails_it(
    scene: Scene,
) -> None:
    job = await scene.planned(takes=3)

    await lose(scene, job, trying=2)
    once = await scene.variations(job.video)
    await lose(scene, job, trying=2)

    assert [(take["state"], take["losses"]) for take in once] == [("queued", 0), ("queued", 1), ("queued", 0)]
    assert (await scene.states(job))[3] == ["queued", "failed", "queued"]
    assert (await scene.part(job, kind="render"))["failures"] == 0
    await scene.render(await scene.claim_next(job))
    assert (await scene.states(job))[0] == "completed"


async def test_a_part_whose_last_take_fails_by_its_losses_is_done(scene: Scene) -> None:
    job = await scene.planned(takes=1)

    await lose(scene, job, trying=1)
    await lose(scene, job, trying=1)

    assert await scene.states(job) == ("failed", ["failed"], ["done", "done"], ["failed"])


async def test_the_next_loss_before_any_take_is_tried_is_not_held_against_the_take_before(scene: Scene) -> None:
    job = await scene.planned(takes=2)

    await lose(scene, job, trying=1)
    await lose(scene, job)

    assert [take["losses"] for take in await scene.variations(job.video)] == [1, 0]
    assert (await scene.part(job, kind="render"))["failures"] == 1


async def test_a_pass_after_a_stall_keeps_quiet_for_a_lease(scene: Scene) -> None:
    job = await scene.job()
    await lost(scene, job)
    (row,) = await scene.sql("SELECT extract(epoch FROM now() - pg_postmaster_start_time())::float8 AS age")
    shorter = replace(TIMING, lease=row["age"] * 0.9)  # than Postgres's age, which is no reason to keep quiet then
    await scene.sql("UPDATE reaping SET passed_at = now() - interval '16 s'")

    passes = [await reap(scene.database, shorter), await reap(scene.database, shorter)]

    assert passes == [Reaped(quiet=True, parts=0)] * 2
    await scene.sql("UPDATE reaping SET quiet_until = now()")
    assert await reap(scene.database, AT_ONCE) == Reaped(quiet=False, parts=1)


async def test_a_pass_soon_after_the_one_before_is_not_taken_for_a_stall(scene: Scene) -> None:
    job = await scene.job()
    await lost(scene, job)
    await scene.sql("UPDATE reaping SET passed_at = now() - interval '14 s'")

    assert await reap(scene.database, AT_ONCE) == Reaped(quiet=False, parts=1)


async def test_a_pass_soon_after_postgres_started_keeps_quiet(scene: Scene) -> None:
    job = await scene.job()
    await lost(scene, job)
    await scene.sql("UPDATE reaping SET passed_at = now()")

    reaped = await reap(scene.database, AGED)

    assert reaped == Reaped(quiet=True, parts=0)
    assert (await scene.part(job))["failures"] == 0


async def test_a_worker_that_comes_back_before_the_reaper_writes_keeps_its_part(scene: Scene) -> None:
    """Another move of the job holds the reaper, which has its list already."""
    job = await scene.job()
    claimed = await lost(scene, job)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM job FOR UPDATE")
        reaping = asyncio.create_task(reap(scene.database, AT_ONCE))
        await eventually(lambda: scene.waiting(1))
        await heartbeat(scene.database, claimed, {}, TIMING)

    assert (await reaping).parts == 0
    assert (await scene.part(job))["claim"] == claimed.number


async def test_a_list_from_before_an_outage_is_not_worked_off_after_it(scene: Scene) -> None:
    """The outage is noticed by another replica while this one still waits for a job."""
    job = await scene.job()
    await lost(scene, job)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM job FOR UPDATE")
        reaping = asyncio.create_task(reap(scene.database, AT_ONCE))
        await eventually(lambda: scene.waiting(1))
        await scene.sql("UPDATE reaping SET quiet_until = now() + interval '1 h'")

    assert (await reaping).parts == 0
    assert (await scene.part(job))["state"] == "running"


async def test_two_reapers_at_once_count_a_loss_once(scene: Scene) -> None:
    job = await scene.job(videos=3)
    for part in await scene.parts(job):
        await scene.lapse((await scene.claim(part["id"])).part)

    passes = await asyncio.gather(*(reap(scene.database, AT_ONCE) for _ in range(3)))

    assert sum(reaped.parts for reaped in passes) == 3
    assert [part["failures"] for part in await scene.parts(job)] == [1, 1, 1]
