"""Sources go when no video needs them, bytes and all, and not before; tests/store has the races for their rows."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from footage import TIMING, Filmed, Footage
from retake.blobs.bucket import Blobs, open_blobs
from retake.domain.errors import Failure
from retake.domain.states import Wish
from retake.settings import Bucket, Postgres
from retake.store import parts
from retake.store.connect import open_database
from retake.store.jobs import NewJob, accept, wish
from retake_janitor import sources

pytestmark = pytest.mark.anyio


class Killed(Exception):
    pass


class KilledBeforeTheBytes(Blobs):
    async def delete_many(self, keys: Iterable[str]) -> None:
        raise Killed


@pytest.fixture
async def killed(bucket: Bucket) -> AsyncIterator[Blobs]:
    store = KilledBeforeTheBytes(bucket, threads=2, timeout=10)
    yield store
    store.close()


async def sources_of(footage: Footage, job: Filmed) -> list[UUID]:
    rows = await footage.sql("SELECT source_id FROM video WHERE job_id = %s ORDER BY position", job.id)
    return [row["source_id"] for row in rows]


async def kept(footage: Footage) -> set[UUID]:
    """The sources that have bytes."""
    return {UUID(key.split("/")[1]) for key in await footage.objects("sources/")}


async def test_the_sources_of_a_completed_job_go_with_their_bytes_and_its_takes_stay(footage: Footage) -> None:
    job = await footage.finished(["a.mp4", "b.mp4"])
    before = await footage.charged(job)

    swept = await sources.run_once(footage.database, footage.blobs)

    assert (swept, await kept(footage)) == (2, set())
    assert await footage.charged(job) == before - 2 * 200
    assert len(await footage.objects(f"results/{job.id}/")) == 2 * 2 * 2


async def test_sources_that_a_job_still_works_on_stay(footage: Footage) -> None:
    waiting, running = await footage.accepted(), await footage.planned()
    finishing, _ = await footage.claims(running)
    await footage.render(running, finishing, b"take")

    assert await sources.run_once(footage.database, footage.blobs) == 0
    assert await kept(footage) == {*await sources_of(footage, waiting), *await sources_of(footage, running)}


async def test_the_source_of_a_video_that_may_be_retried_stays_until_the_job_expires(footage: Footage) -> None:
    job = await footage.planned()
    await wish(footage.database, job.id, Wish.CANCEL)

    early = await sources.run_once(footage.database, footage.blobs)
    still = await kept(footage)
    await wish(footage.database, job.id, Wish.EXPIRE, "age")
    late = await sources.run_once(footage.database, footage.blobs)

    assert (early, still) == (0, set(await sources_of(footage, job)))
    assert (late, await kept(footage)) == (1, set())


async def test_a_source_that_is_no_video_goes_for_it_will_never_be_one(footage: Footage) -> None:
    job = await footage.accepted()
    (claimed,) = await footage.claims(job)
    await parts.fail_inspect(footage.database, claimed, Failure("bad_input", "This is no video."), TIMING)

    assert await sources.run_once(footage.database, footage.blobs) == 1
    assert await kept(footage) == set()


async def test_a_source_that_its_person_keeps_stays_until_the_job_expires(footage: Footage) -> None:
    job = await footage.finished(options={"keepSource": True})

    early = await sources.run_once(footage.database, footage.blobs)
    await wish(footage.database, job.id, Wish.EXPIRE, "age")
    late = await sources.run_once(footage.database, footage.blobs)

    assert (early, late, await kept(footage)) == (0, 1, set())


async def test_a_source_that_another_job_still_needs_stays(footage: Footage) -> None:
    done = await footage.finished(["a.mp4", "b.mp4"])
    shared, alone = await sources_of(footage, done)
    await accept(footage.database, NewJob(done.workspace, [("more.mp4", shared)], 1, seed=1))

    assert await sources.run_once(footage.database, footage.blobs) == 1
    assert await kept(footage) == {shared} != {alone}


async def test_a_janitor_killed_before_the_bytes_leaves_garbage_and_no_row_that_lies(
    footage: Footage, killed: Blobs
) -> None:
    job = await footage.finished()

    with pytest.raises(Killed):
        await sources.run_once(footage.database, killed)

    assert await footage.sql("SELECT state FROM source") == [{"state": "gone"}]
    assert await kept(footage) == set(await sources_of(footage, job))
    assert await footage.complaints() == []


async def test_of_five_janitors_at_once_each_source_is_swept_by_one(
    footage: Footage, postgres: Postgres, bucket: Bucket
) -> None:
    done = await footage.finished([f"{number}.mp4" for number in range(6)], takes=1)
    waiting = await footage.accepted()
    before = await footage.charged(done)

    async with AsyncExitStack() as opened:
        janitors = [
            (
                await opened.enter_async_context(open_database(postgres, name=f"janitor-{number}")),
                await opened.enter_async_context(open_blobs(bucket, threads=4)),
            )
            for number in range(5)
        ]
        swept = await asyncio.gather(*(sources.run_once(database, blobs) for database, blobs in janitors))

    assert sum(swept) == 6
    assert await kept(footage) == set(await sources_of(footage, waiting))
    assert await footage.charged(done) == before - 6 * 200
