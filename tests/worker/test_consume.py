"""A worker's life on real servers: it loses nothing when it leaves, when NATS is away, or when its lease is lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from collector import collecting
from conftest import eventually
from faults.works import Works, while_frozen, works
from retake import tracing
from retake.audit import audit
from retake.bus.messages import PartAnnounced
from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.settings import Bucket, Nats, Postgres
from retake.store import fleet
from retake.store.jobs import NewJob, wish
from retake.store.reaping import reap
from retake_worker.consume import Consumer
from retake_worker.scratch import Scratch

pytestmark = pytest.mark.anyio

STEPS = ("fetched", "claimed", "acknowledged", "inspected", "downloaded", "rendered", "stored", "committed", "finished")


@pytest.fixture
async def here(postgres: Postgres, bucket: Bucket, nats: Nats, tmp_path: Path) -> AsyncIterator[Works]:
    """A place to work in. Whatever a test did, it is sound afterwards."""
    async with works(postgres, bucket, nats, tmp_path) as opened:
        yield opened
        violations = [v async for v in audit(opened.database, opened.blobs, None, opened.timing, deep=True)]
        assert violations == []
        assert left_in(tmp_path) == []


def left_in(scratch: Path) -> list[Path]:
    return list(scratch.glob("*/[0-9]*"))


async def completed(here: Works, new: NewJob) -> None:
    async def is_completed() -> bool:
        return await here.state(new) == "completed"

    await eventually(is_completed)


class Leaves:
    """Tells its worker to leave as it reaches a step for the first time."""

    def __init__(self, step: str) -> None:
        self.step, self.left = step, asyncio.Event()
        self.consumer: Consumer | None = None
        self._leaving: asyncio.Task[None] | None = None

    def reach(self, step: str) -> None:
        if step == self.step and self.consumer is not None and self._leaving is None:
            self._leaving = asyncio.create_task(self.consumer.leave())
            self.left.set()


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_leaves_gives_its_part_back_at_once_and_another_goes_on(here: Works, step: str) -> None:
    new, leaves = await here.submit(takes=2), Leaves(step)

    async with here.relaying():
        async with here.working("one", reach=leaves.reach) as leaves.consumer:
            await leaves.left.wait()
        running = await here.sql("SELECT id FROM part WHERE state = 'running'")
        async with here.working("two"):
            await completed(here, new)

    assert running == []
    assert await here.sql("SELECT id FROM part WHERE failures > 0 OR releases > 0") == []
    assert await here.sql("SELECT name FROM worker WHERE gone_at IS NULL") == []


@pytest.mark.parametrize("step", ["claimed", "inspected", "downloaded", "rendered"])
async def test_a_worker_with_a_grace_finishes_what_it_has_in_hand_and_takes_nothing_new(here: Works, step: str) -> None:
    new, leaves = await here.submit(takes=2), Leaves(step)
    seen: list[str] = []

    def reach(at: str) -> None:
        seen.append(at)
        leaves.reach(at)

    async with here.relaying(), here.working("one", reach=reach, grace=60) as leaves.consumer:
        await leaves.left.wait()
    parts = await here.sql("SELECT kind, state FROM part WHERE claim IS NULL AND generation = 1 ORDER BY id")
    async with here.relaying(), here.working("two"):
        await completed(here, new)

    begun = "inspect" if step in {"claimed", "inspected"} else "render"
    assert {part["kind"]: part["state"] for part in parts}[begun] == "done"
    assert seen.count("claimed") == seen.count("finished")
    assert await here.sql("SELECT id FROM part WHERE failures > 0 OR releases > 0") == []


async def test_a_worker_that_finishes_is_leaving_and_its_slots_are_not_counted(here: Works) -> None:
    await here.submit()
    stuck = Stuck(here.blobs)

    async def is_leaving() -> bool:
        (row,) = await fleet.fleet(here.database, here.workspace, here.timing)
        return bool(row["status"] == "leaving")

    async with here.relaying(), here.working("one", blobs=stuck, grace=1) as consumer:
        await stuck.asked.wait()
        await consumer.leave()
        await eventually(is_leaving)
        counted = await here.sql("SELECT name FROM worker WHERE gone_at IS NULL")

    assert counted == []
    assert [row["status"] for row in await fleet.fleet(here.database, here.workspace, here.timing)] == ["gone"]


async def test_a_database_that_went_on_without_this_release_is_left_alone_until_it_fits_again(here: Works) -> None:
    quick = replace(here.timing, worker_alive=0.1, announce_poll=0.05)
    await here.sql("INSERT INTO schema_version (version, name, checksum, needs) VALUES (9999, 'later', '', 9999)")

    async def says_why() -> bool:
        return any("nothing is fetched" in entry["event"] for entry in logs)

    with capture_logs() as logs:
        async with here.working("one", timing=quick):
            await eventually(says_why)
            new = await here.submit()
            async with here.relaying():
                await here.sql("DELETE FROM schema_version WHERE version = 9999")
                await completed(here, new)


async def test_a_message_that_names_no_part_is_removed_and_the_next_one_is_taken(here: Works) -> None:
    await here.bus.publish_part(PartAnnounced(part_id="no-number", generation=1, kind="inspect"))
    new = await here.submit()

    async with here.relaying(), here.working():
        await completed(here, new)

    assert await here.bus.waiting() == 0


async def test_a_frozen_worker_whose_part_went_to_another_changes_nothing_when_it_wakes(here: Works) -> None:
    new = await here.submit(takes=2)
    at_once = replace(here.timing, lease=0)
    frozen = []

    async def the_others() -> None:
        async with works(here.postgres, here.bucket, here.nats, here.scratch, here.timing) as there:
            await there.sql("UPDATE part SET lease_until = now() - interval '1 s' WHERE state = 'running'")
            await there.sql("DELETE FROM duty")  # the first relay is as frozen as its worker
            assert (await reap(there.database, at_once)).parts == 1
            async with there.relaying("second relay"), there.working("second"):
                await completed(there, new)
            frozen.extend(await there.sql("SELECT index, claim, key, state FROM variation ORDER BY index"))

    def freeze_once(step: str) -> None:
        if step == "stored" and not frozen:
            while_frozen(the_others)

    async def is_lost() -> bool:
        return any("lease lost" in entry["event"] for entry in logs)

    with capture_logs() as logs:
        async with here.relaying(), here.working("first", reach=freeze_once):
            await completed(here, new)
            await eventually(is_lost)

    (first, second) = frozen
    assert first["claim"] == second["claim"]
    assert await here.sql("SELECT index, claim, key, state FROM variation ORDER BY index") == frozen
    (told,) = await here.sql("SELECT count(*) AS n FROM event WHERE kind = 'variation'")
    assert told["n"] == 2


class Stuck:
    """A store whose bytes do not come."""

    def __init__(self, blobs: Any) -> None:
        self._blobs, self.asked, self.stopped = blobs, asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    async def get(self, key: str) -> bytes:
        self.asked.set()
        try:
            return await asyncio.Event().wait()  # type: ignore[return-value]
        finally:
            self.stopped.set()


QUICK = replace(Timing(), progress=0.01, heartbeat=0.02)


async def test_a_worker_that_learns_of_its_lost_lease_stops_its_work_and_deletes_its_scratch(here: Works) -> None:
    new = await here.submit()
    stuck = Stuck(here.blobs)

    async def nothing_is_left() -> bool:
        return not left_in(here.scratch)

    async with here.relaying():
        async with here.working("first", blobs=stuck, timing=QUICK):
            await stuck.asked.wait()
            folders = left_in(here.scratch)
            await here.sql(
                """
                UPDATE part SET state = 'queued', claim = NULL, worker = NULL, lease_until = NULL,
                    generation = generation + 1, not_before = now() + interval '1 h' WHERE state = 'running'
                """
            )
            async with asyncio.timeout(5):
                await stuck.stopped.wait()
            await eventually(nothing_is_left)
        await here.sql("UPDATE part SET not_before = now()")
        async with here.working("second"):
            await completed(here, new)

    assert len(folders) == 1


async def test_a_cancelled_job_stops_its_worker(here: Works) -> None:
    new = await here.submit()
    stuck = Stuck(here.blobs)

    async def is_cancelled() -> bool:
        return await here.state(new) == "cancelled"

    async with here.relaying(), here.working(blobs=stuck, timing=QUICK):
        await stuck.asked.wait()
        await wish(here.database, new.id, Wish.CANCEL)
        await eventually(is_cancelled)

    assert stuck.stopped.is_set()


async def test_a_paused_job_waits_until_it_is_resumed(here: Works) -> None:
    new, other = await here.submit(takes=2), await here.submit()
    await wish(here.database, new.id, Wish.PAUSE)

    async with here.relaying(), here.working():
        await completed(here, other)
        paused = await here.state(new), await here.sql("SELECT state FROM part WHERE job_id = %s", new.id)
        await wish(here.database, new.id, Wish.RUN)
        await completed(here, new)

    assert paused == ("paused", [{"state": "queued"}])


async def test_a_heartbeat_just_after_the_last_commit_does_not_call_the_part_lost(here: Works) -> None:
    always = replace(here.timing, progress=0, heartbeat=0)
    jobs = [await here.submit() for _ in range(10)]

    with capture_logs() as logs:
        async with here.relaying(), here.working(timing=always):
            for new in jobs:
                await completed(here, new)

    assert [entry for entry in logs if "lost" in entry["event"]] == []


async def test_a_part_whose_message_knows_no_trace_joins_that_of_its_job(here: Works) -> None:
    """Whoever announced it has no traces on; or it is an older release."""
    trace, above = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    new = await here.submit()
    await here.sql("UPDATE job SET traceparent = %s WHERE id = %s", f"00-{trace}-{above}-01", new.id)
    (part,) = await here.sql("SELECT id FROM part")
    message = PartAnnounced(part_id=str(part["id"]), generation=1, kind="inspect", job_id=str(new.id))
    with collecting() as collector:
        tracing.configure("worker", collector.url, None)
        try:
            async with here.working():
                await here.bus.publish_part(message)
                await eventually(lambda: here.sql("SELECT id FROM part WHERE kind = 'render'"))
                async with here.relaying():
                    await completed(here, new)
        finally:
            tracing.close()

    below = {span.name for span in collector.tree(trace).values() if span.parent == above}
    assert below == {"inspect", "announce"}
    assert "render" in {span.name for span in collector.tree(trace).values()}


async def test_what_a_killed_worker_left_in_scratch_goes_when_it_starts_again(tmp_path: Path) -> None:
    left = tmp_path / "worker-1" / "7.9"
    left.mkdir(parents=True)
    (left / "source").write_bytes(b"half a video")

    Scratch(tmp_path, "worker-1")

    assert not left.exists()
