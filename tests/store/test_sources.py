"""Sources: counted when they are ready, swept when no video needs them, and the row is the lock between the two."""

import asyncio

import pytest

from conftest import eventually
from retake.domain.states import Wish
from retake.store import parts
from retake.store.jobs import NewJob, accept, wish
from retake.store.retrying import retry
from retake.store.sources import SourceGone, begin_source, finish_source, intend_chunk, sweep_source
from store.scene import BROKEN, SIZE, TIMING, Accepted, Scene

pytestmark = pytest.mark.anyio


async def source_of(scene: Scene, job: Accepted) -> dict[str, object]:
    video = await scene.one("video", job.videos[0])
    return dict(await scene.one("source", video["source_id"]))


async def failed(scene: Scene, code: str = "broken") -> Accepted:
    job = await scene.job()
    await parts.fail_inspect(scene.database, await scene.claim_next(job), BROKEN, TIMING)
    await scene.sql("UPDATE video SET error_code = %s WHERE job_id = %s", code, job.id)
    return job


async def test_a_source_is_as_big_as_its_chunks_that_were_stored(scene: Scene) -> None:
    source = await begin_source(scene.database, scene.workspace)
    for n, state in enumerate(["done", "dropped", "done", "intent"]):
        await intend_chunk(scene.database, source, n=n, start=n * 10, size=10, sha256="sha", key=f"{source}/{n}")
        await scene.sql("UPDATE chunk SET state = %s WHERE key = %s", state, f"{source}/{n}")

    size = await finish_source(scene.database, source)

    assert size == 20
    assert (await scene.one("source", source))["state"] == "ready"
    assert await scene.sql("SELECT bytes FROM storage") == [{"bytes": 20}]


async def test_a_source_whose_takes_are_all_completed_is_swept_with_its_keys_and_its_bytes(scene: Scene) -> None:
    job = await scene.ended()
    (before,) = await scene.sql("SELECT bytes FROM storage")
    chunks = await scene.sql("SELECT key FROM chunk")

    keys = await sweep_source(scene.database)

    (after,) = await scene.sql("SELECT bytes FROM storage")
    assert keys == [chunk["key"] for chunk in chunks]
    assert (await source_of(scene, job))["state"] == "gone"
    assert before["bytes"] - after["bytes"] == SIZE
    assert await sweep_source(scene.database) is None


async def test_a_source_is_kept_while_its_job_waits_runs_or_may_be_retried(scene: Scene) -> None:
    await scene.job()
    await scene.claim_next(await scene.planned())
    await failed(scene, "worker_lost")
    await wish(scene.database, (await scene.job()).id, Wish.CANCEL)
    await wish(scene.database, (await scene.planned()).id, Wish.CANCEL)
    half = await scene.planned(takes=2)
    claimed = await scene.claim_next(half)
    await parts.fail_variation(scene.database, claimed, 1, BROKEN, TIMING)
    await scene.render(claimed)

    assert await sweep_source(scene.database) is None


async def test_a_source_is_kept_when_its_person_asked_for_it_until_the_job_expires(scene: Scene) -> None:
    job = await scene.ended(options={"keepSource": True})
    before = await sweep_source(scene.database)

    await wish(scene.database, job.id, Wish.EXPIRE, "deleted")

    assert before is None
    assert await sweep_source(scene.database)


async def test_a_source_of_a_deleted_job_is_kept_until_its_last_worker_stopped(scene: Scene) -> None:
    job = await scene.planned()
    claimed = await scene.claim_next(job)
    await wish(scene.database, job.id, Wish.EXPIRE, "deleted")
    before = await sweep_source(scene.database)

    await parts.release(scene.database, claimed, TIMING, blocked=False)

    assert before is None
    assert await sweep_source(scene.database)


async def test_a_source_whose_video_cannot_be_used_is_swept(scene: Scene) -> None:
    await failed(scene)

    assert await sweep_source(scene.database)


async def test_a_source_is_kept_while_one_of_its_videos_needs_it(scene: Scene) -> None:
    source = await scene.source()
    done = await scene.accept(scene.workspace, [("a", source)], 0, kind="catalog")
    await scene.accept(scene.workspace, [("b", source)], 1)
    await wish(scene.database, done.id, Wish.EXPIRE, "deleted")

    assert await sweep_source(scene.database) is None


async def test_a_source_no_video_ever_needed_is_left_to_the_uploads_that_were_abandoned(scene: Scene) -> None:
    await scene.source()

    assert await sweep_source(scene.database) is None


async def test_an_imported_source_is_never_swept(scene: Scene) -> None:
    await scene.ended()
    await scene.sql("UPDATE source SET origin = 'import'")
    await scene.sql("UPDATE storage SET bytes = bytes - %s", SIZE)

    assert await sweep_source(scene.database) is None


async def test_several_sweeps_at_once_never_take_the_same(scene: Scene) -> None:
    for _ in range(3):
        await scene.ended()

    swept = await asyncio.gather(*(sweep_source(scene.database) for _ in range(3)))

    keys = [key for taken in swept for key in taken or []]
    assert len(keys) == len(set(keys)) > 0
    assert len(await scene.sql("SELECT id FROM source WHERE state = 'gone'")) == len(keys)


async def test_a_source_that_an_accept_holds_is_not_swept(scene: Scene) -> None:
    """The admission lock holds the accept between its sources and its rows."""
    source = (await source_of(scene, await scene.ended()))["id"]
    more = NewJob(scene.workspace, [("more.mp4", source)], 1, seed=1)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(2, 0)")
        accepting = asyncio.create_task(accept(scene.database, more, cap=10**9))
        await eventually(lambda: scene.waiting(1))
        swept = await sweep_source(scene.database)
    await accepting

    assert not swept
    assert (await scene.one("source", source))["state"] == "ready"


async def test_a_source_that_a_retry_holds_is_not_swept(scene: Scene) -> None:
    """The ledger's row holds the retry just before its commit."""
    job = await failed(scene)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM storage FOR UPDATE")
        retrying = asyncio.create_task(retry(scene.database, job.id))
        await eventually(lambda: scene.waiting(1))
        swept = await sweep_source(scene.database)
    await retrying

    assert not swept
    assert (await source_of(scene, job))["state"] == "ready"


async def test_an_accept_that_comes_while_its_source_is_swept_is_refused(scene: Scene) -> None:
    """The ledger's row holds the sweep just before its commit."""
    source = (await source_of(scene, await scene.ended()))["id"]
    more = NewJob(scene.workspace, [("more.mp4", source)], 1, seed=1)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM storage FOR UPDATE")
        sweeping = asyncio.create_task(sweep_source(scene.database))
        await eventually(lambda: scene.waiting(1))
        accepting = asyncio.create_task(accept(scene.database, more))
        await eventually(lambda: scene.waiting(2))

    assert await sweeping
    with pytest.raises(SourceGone):
        await accepting


async def test_a_need_that_was_committed_between_the_sweep_s_look_and_its_lock_is_seen(scene: Scene) -> None:
    """`source_needed` is made to wait: the sweep has looked at the rows as they were, and holds no lock yet."""
    source = (await source_of(scene, await scene.ended()))["id"]
    await scene.sql("ALTER FUNCTION source_needed(uuid) RENAME TO really_needed")
    await scene.sql(
        """
        CREATE FUNCTION source_needed(wanted uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN
            IF really_needed(wanted) THEN RETURN true; END IF;
            PERFORM pg_advisory_xact_lock_shared(4711);
            RETURN false;
        END $$
        """
    )

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(4711)")
        sweeping = asyncio.create_task(sweep_source(scene.database))
        await eventually(lambda: scene.waiting(1))
        await accept(scene.database, NewJob(scene.workspace, [("more.mp4", source)], 1, seed=1))

    assert await sweeping == []
    assert (await scene.one("source", source))["state"] == "ready"
