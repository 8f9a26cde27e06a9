"""From the end of a job to the last of its bytes: expire, purge, and what rows, ledger and bucket say in between."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack

import pytest

from footage import TIMING, Filmed, Footage
from retake.blobs.bucket import Blobs, open_blobs
from retake.blobs.errors import BlobUnavailable
from retake.blobs.keys import Result, of_job
from retake.domain.states import Wish
from retake.settings import Bucket, Clock, Nats, Observe, Postgres, Storage, read
from retake.store import parts
from retake.store.connect import open_database
from retake.store.jobs import wish
from retake_janitor import expire, purge
from retake_janitor.__main__ import Settings, run

pytestmark = pytest.mark.anyio


class Killed(Exception):
    pass


class KilledBeforeTheStamp(Blobs):
    async def delete_many(self, keys: Iterable[str]) -> None:
        await super().delete_many(keys)
        raise Killed


class NotNow(Blobs):
    async def delete_many(self, keys: Iterable[str]) -> None:
        raise BlobUnavailable("try later")


@pytest.fixture
async def store(bucket: Bucket, request: pytest.FixtureRequest) -> AsyncIterator[Blobs]:
    faulty: Blobs = request.param(bucket, threads=2, timeout=10)
    yield faulty
    faulty.close()


async def bytes_of(footage: Footage, job: Filmed) -> list[str]:
    return [key for prefix in of_job(str(job.id)) for key in await footage.objects(prefix)]


async def expired(footage: Footage, owner: str = "people") -> Filmed:
    job = await footage.finished(owner=owner)
    await wish(footage.database, job.id, Wish.EXPIRE, "age")
    return job


async def test_a_job_expires_when_its_time_after_its_end_is_over_and_not_before(footage: Footage) -> None:
    job = await footage.finished()

    await footage.pass_time(job, "23 hours 59 minutes")
    before = await expire.run_once(footage.database)
    await footage.pass_time(job, "1 minute")
    after = await expire.run_once(footage.database)

    assert (before, after, await expire.run_once(footage.database)) == (0, 1, 0)
    row = await footage.job(job)
    assert (row["state"], row["wish"], row["expired_because"]) == ("expired", "expire", "age")


async def test_a_job_that_has_not_ended_does_not_expire_however_old_it_is(footage: Footage) -> None:
    job = await footage.planned()
    await footage.sql("UPDATE job SET created_at = now() - interval '30 days' WHERE id = %s", job.id)

    assert await expire.run_once(footage.database) == 0


async def test_the_bytes_of_an_expired_job_go_the_row_says_so_and_the_ledger_is_less_by_them(footage: Footage) -> None:
    job = await expired(footage)
    before, there = await footage.charged(job), await bytes_of(footage, job)

    purged = await purge.run_once(footage.database, footage.blobs)

    assert (purged, len(there), await bytes_of(footage, job)) == (1, 2 * 2 + 1, [])
    assert (await footage.job(job))["purged_at"] is not None
    assert await footage.charged(job) == before - 2 * 1000


async def test_what_was_purged_is_not_purged_again(footage: Footage) -> None:
    job = await expired(footage)
    await purge.run_once(footage.database, footage.blobs)
    row, charged = await footage.job(job), await footage.charged(job)

    assert await purge.run_once(footage.database, footage.blobs) == 0
    assert (await footage.job(job), await footage.charged(job)) == (row, charged)


async def test_jobs_that_are_not_expired_keep_everything(footage: Footage) -> None:
    kept, going = await footage.finished(), await expired(footage, owner="others")
    there, charged = await bytes_of(footage, kept), await footage.charged(kept)

    await purge.run_once(footage.database, footage.blobs)

    assert await bytes_of(footage, going) == []
    assert await bytes_of(footage, kept) == there
    assert await footage.charged(kept) == charged
    assert (await footage.job(kept))["purged_at"] is None


async def test_a_job_that_still_runs_is_not_purged_before_its_workers_have_stopped(footage: Footage) -> None:
    job = await footage.planned()
    finishing, running = await footage.claims(job)
    await footage.render(job, finishing, b"take")
    uncommitted = Result(str(job.id), str(running.video), 2, running.number).key
    await footage.blobs.put(uncommitted, b"never shown")
    await wish(footage.database, job.id, Wish.EXPIRE, "deleted")

    early = await purge.run_once(footage.database, footage.blobs)
    kept = await bytes_of(footage, job)
    await parts.release(footage.database, running, TIMING, blocked=False)
    late = await purge.run_once(footage.database, footage.blobs)

    assert (early, late) == (0, 1)
    assert uncommitted in kept
    assert await bytes_of(footage, job) == []


async def test_what_retake_did_not_write_is_not_deleted(footage: Footage) -> None:
    job = await expired(footage)
    foreign = [f"results/{job.id}/notes.txt", f"thumbs/{job.id}/notes.txt", f"results/{job.id}x/1.mp4"]
    for key in foreign:
        await footage.blobs.put(key, b"somebody's")

    await purge.run_once(footage.database, footage.blobs)

    assert [key for key in await footage.objects() if not key.startswith("sources/")] == sorted(foreign)


@pytest.mark.parametrize("store", [KilledBeforeTheStamp], indirect=True)
async def test_a_janitor_killed_between_bytes_and_stamp_leaves_the_rest_to_the_next(
    footage: Footage, store: Blobs
) -> None:
    job = await expired(footage)
    before = await footage.charged(job)

    with pytest.raises(Killed):
        await purge.run_once(footage.database, store)
    between = await footage.job(job), await footage.charged(job), await footage.complaints()
    purged = await purge.run_once(footage.database, footage.blobs)

    assert between[0]["purged_at"] is None
    assert between[1:] == (before, [])
    assert (purged, await bytes_of(footage, job)) == (1, [])
    assert await footage.charged(job) == before - 2 * 1000


@pytest.mark.parametrize("store", [NotNow], indirect=True)
async def test_bytes_that_would_not_go_are_not_said_to_be_gone(footage: Footage, store: Blobs) -> None:
    job = await expired(footage)
    before = await footage.charged(job)

    with pytest.raises(BlobUnavailable):
        await purge.run_once(footage.database, store)

    assert (await footage.job(job))["purged_at"] is None
    assert await footage.charged(job) == before


async def test_a_pass_purges_so_many_jobs_and_leaves_the_others_to_the_next(footage: Footage) -> None:
    for _ in range(3):
        await expired(footage)

    assert [await purge.run_once(footage.database, footage.blobs, most=2) for _ in range(3)] == [2, 1, 0]


async def test_of_five_janitors_at_once_each_job_is_expired_and_purged_by_one(
    footage: Footage, postgres: Postgres, bucket: Bucket
) -> None:
    due = [await footage.finished(owner=owner) for owner in ("people", "others") * 3]
    kept = await footage.finished()
    for job in due:
        await footage.pass_time(job, "25 hours")

    async with AsyncExitStack() as opened:
        janitors = [
            (
                await opened.enter_async_context(open_database(postgres, name=f"janitor-{number}")),
                await opened.enter_async_context(open_blobs(bucket, threads=4)),
            )
            for number in range(5)
        ]
        expiries = await asyncio.gather(*(expire.run_once(database) for database, _ in janitors))
        purges = await asyncio.gather(*(purge.run_once(database, blobs) for database, blobs in janitors))

    assert (sum(expiries), sum(purges)) == (6, 6)
    assert [await bytes_of(footage, job) for job in due] == [[]] * 6
    assert len(await bytes_of(footage, kept)) == 5
    assert [await footage.charged(job) for job in due[:2]] == [4 * 200 + 2000, 3 * 200]


async def test_a_pass_of_the_janitor_expires_purges_and_sweeps_and_leaves_its_counts(
    footage: Footage, postgres: Postgres, bucket: Bucket, nats: Nats
) -> None:
    job = await footage.finished()
    await footage.pass_time(job, "24 hours")

    done = await run(Settings(read(Observe, {}), postgres, bucket, nats, read(Storage, {}), Clock(scale=0.01)))

    assert done.errors == {}
    assert {name: count for name, count in done.counts.items() if count} == {"expire": 1, "purge": 1, "sources": 1}
    assert await footage.objects() == []
    (row,) = await footage.sql("SELECT counts FROM janitor_run WHERE ended_at IS NOT NULL")
    assert row["counts"] == done.counts
