"""Download leases: what they hold back, for how long, and that nobody slips between a look and a lease."""

import asyncio
from uuid import UUID, uuid4

import pytest

from conftest import eventually
from retake.domain.states import Wish
from retake.store.downloads import give_back, renew, take
from retake.store.jobs import expire_due, wish
from retake.store.move import JobGone
from retake.store.results import Expired, purgeable
from retake.store.sources import SourceGone, sweep_source
from store.scene import TIMING, Accepted, Scene

pytestmark = pytest.mark.anyio


async def due(scene: Scene) -> Accepted:
    """A job whose time is over."""
    job = await scene.ended()
    await scene.sql("UPDATE job SET expires_at = now() - interval '1 s' WHERE id = %s", job.id)
    return job


async def taken(scene: Scene, job: Accepted) -> UUID:
    return await take(scene.database, job.id, TIMING)


async def age(scene: Scene, seconds: float) -> None:
    await scene.sql(
        "UPDATE download SET began_at = began_at - %s * interval '1 s', until = until - %s * interval '1 s'",
        seconds, seconds,
    )  # fmt: skip


async def test_a_job_that_is_being_downloaded_does_not_expire_until_the_lease_is_given_back(scene: Scene) -> None:
    lease = await taken(scene, await due(scene))

    during = await expire_due(scene.database)
    await give_back(scene.database, lease)

    assert (during, await expire_due(scene.database)) == (0, 1)


async def test_jobs_that_are_being_downloaded_keep_no_other_from_expiring(scene: Scene) -> None:
    await taken(scene, await due(scene))
    await due(scene)

    assert await expire_due(scene.database, limit=1) == 1


async def test_a_delete_is_seen_at_once_and_only_the_bytes_wait(scene: Scene) -> None:
    job = await scene.ended()
    lease = await taken(scene, job)

    state = await wish(scene.database, job.id, Wish.EXPIRE, "deleted")

    assert (state, await purgeable(scene.database, 10)) == ("expired", [])
    assert await renew(scene.database, lease, TIMING)
    await give_back(scene.database, lease)
    assert await purgeable(scene.database, 10) == [job.id]


async def test_of_two_downloads_the_last_one_lets_the_bytes_go(scene: Scene) -> None:
    job = await scene.ended()
    one, other = await taken(scene, job), await taken(scene, job)
    await wish(scene.database, job.id, Wish.EXPIRE, "deleted")

    await give_back(scene.database, one)

    assert await purgeable(scene.database, 10) == []
    await give_back(scene.database, other)
    assert await purgeable(scene.database, 10) == [job.id]


@pytest.mark.parametrize(("reason", "told"), [("age", Expired), ("space", Expired), ("deleted", JobGone)])
async def test_no_lease_is_given_on_a_job_that_is_wished_away_or_is_none(
    scene: Scene, reason: str, told: type[Exception]
) -> None:
    job = await scene.ended()
    await wish(scene.database, job.id, Wish.EXPIRE, reason)

    with pytest.raises(told):
        await take(scene.database, job.id, TIMING)
    with pytest.raises(JobGone):
        await take(scene.database, uuid4(), TIMING)
    assert await scene.sql("SELECT FROM download") == []


async def test_a_lease_that_nobody_renews_runs_out_and_cannot_be_renewed_any_more(scene: Scene) -> None:
    lease = await taken(scene, await due(scene))

    await age(scene, TIMING.download - 1)
    held = await expire_due(scene.database)
    await age(scene, 2)

    assert not await renew(scene.database, lease, TIMING)
    assert (held, await expire_due(scene.database)) == (0, 1)


async def test_a_lease_that_is_renewed_lives_on_but_not_beyond_its_most(scene: Scene) -> None:
    lease = await taken(scene, await due(scene))
    lived = 0.0
    step = TIMING.download - 10  # seconds between renewals

    while await renew(scene.database, lease, TIMING):
        assert await expire_due(scene.database) == 0
        await age(scene, step)
        lived += step

    assert TIMING.download_most <= lived <= TIMING.download_most + step
    assert await expire_due(scene.database) == 1


async def test_leases_that_ran_out_are_forgotten_by_who_takes_the_next(scene: Scene) -> None:
    job = await scene.ended()
    await taken(scene, job)
    await taken(scene, job)
    await age(scene, TIMING.download)

    lease = await taken(scene, job)

    assert await scene.sql("SELECT id FROM download") == [{"id": lease}]


async def test_a_lease_that_is_taken_while_the_job_expires_is_refused(scene: Scene) -> None:
    """The event lock holds the expiry just before its commit, with the job's row in its hands."""
    job = await due(scene)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(1, number) FROM workspace")
        expiring = asyncio.create_task(expire_due(scene.database))
        await eventually(lambda: scene.waiting(1))
        taking = asyncio.create_task(take(scene.database, job.id, TIMING))
        await eventually(lambda: scene.settled(taking, waiting=2))

    assert await expiring == 1
    with pytest.raises(Expired):
        await taking


async def test_an_expiry_that_comes_while_a_lease_is_taken_sees_it(scene: Scene) -> None:
    """A transaction has locked the job as `take` does and written its lease, but not committed."""
    job = await due(scene)

    async with scene.database.transaction() as taking:
        await taking.execute("SELECT FROM job WHERE id = %s FOR SHARE", (job.id,))
        expiring = asyncio.create_task(expire_due(scene.database))
        await eventually(lambda: scene.waiting(1))
        await taking.execute("INSERT INTO download (job_id, until) VALUES (%s, now() + interval '1 min')", (job.id,))

    assert await expiring == 0
    assert (await scene.one("job", job.id))["state"] == "completed"


async def test_a_source_that_somebody_reads_is_not_swept(scene: Scene) -> None:
    job = await scene.ended()
    (source,) = await scene.sql("SELECT source_id AS id FROM video")

    lease = await take(scene.database, job.id, TIMING, source["id"])
    during = await sweep_source(scene.database)
    await give_back(scene.database, lease)

    assert during is None
    assert await sweep_source(scene.database)
    with pytest.raises(SourceGone):
        await take(scene.database, job.id, TIMING, source["id"])


async def test_a_source_that_is_being_swept_is_not_lent(scene: Scene) -> None:
    """The ledger's row holds the sweep just before its commit."""
    job = await scene.ended()
    (source,) = await scene.sql("SELECT source_id AS id FROM video")

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM storage FOR UPDATE")
        sweeping = asyncio.create_task(sweep_source(scene.database))
        await eventually(lambda: scene.waiting(1))
        taking = asyncio.create_task(take(scene.database, job.id, TIMING, source["id"]))
        await eventually(lambda: scene.settled(taking, waiting=2))

    assert await sweeping
    with pytest.raises(SourceGone):
        await taking
