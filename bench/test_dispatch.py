"""How fast work gets to workers: from announce to claim, claims alone, and takes from end to end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from figures import at, tell

from faults.jobs import clip, new_job
from faults.people import ended
from faults.rig import Rig, Size, rigged
from retake.settings import Postgres
from retake.store.connect import open_database
from retake.store.jobs import NewJob, accept
from retake.store.parts import claim

pytestmark = [pytest.mark.anyio, pytest.mark.bench]

_WORKER = Path(__file__).with_name("timed_worker.py")


@asynccontextmanager
async def stack(folder: Path, *slots: int) -> AsyncIterator[Rig]:
    async with rigged(folder, Size(scale=1, apis=1 if slots else 0, slots=slots, worker=_WORKER)) as rig:
        yield rig


async def submit(rig: Rig, takes: int, size: int = 1000) -> NewJob:
    return await new_job(rig.database, rig.blobs, rig.workspaces[0], [clip(bytes(size))], takes)


async def test_from_announce_to_claim_on_an_idle_stack(tmp_path: Path) -> None:
    announced: dict[str, float] = {}

    async def note(message: nats.aio.msg.Msg) -> None:
        announced[message.headers["Nats-Msg-Id"]] = time.time()

    async with stack(tmp_path, 2) as rig:
        client = await nats.connect(rig.environment["RETAKE_NATS_URL"])
        await client.subscribe("retake.parts.*", cb=note)
        jobs = [await submit(rig, 1) for _ in range(200)]
        accepted = []
        for job in jobs:
            accepted.append(time.time())
            await accept(rig.database, job)
            await rig.bus.wake()
            await ended(rig, [job])
        await client.close()
        steps = [line.split() for line in (rig.orders / "worker-1.steps").read_text().splitlines()]

    claimed = sorted(float(when) for step, when in steps if step == "claimed")
    assert len(claimed) == len(announced) == 2 * len(jobs)
    hops = [1000 * (when - before) for when, before in zip(claimed, sorted(announced.values()), strict=True)]
    firsts = [1000 * (claimed[2 * n] - before) for n, before in enumerate(accepted)]
    tell("announced -> claimed, p50", at(0.5, hops), "ms")
    tell("announced -> claimed, p99", at(0.99, hops), "ms", "< 50")
    tell("accepted -> claimed, p50", at(0.5, firsts), "ms")
    tell("accepted -> claimed, p99", at(0.99, firsts), "ms")
    assert at(0.99, hops) < 50


async def test_claims_of_four_connections_in_sixteen_jobs(tmp_path: Path) -> None:
    jobs, parts, connections = 16, 200, 4
    async with stack(tmp_path) as rig:
        await rig.eyes.see(_JOBS, rig.workspaces[0], jobs)
        await rig.eyes.see(_PARTS, parts)
        await rig.eyes.see("ANALYZE")
        waiting = [row["id"] for row in await rig.eyes.see("SELECT id FROM part ORDER BY id")]
        assert len(waiting) == jobs * parts

        async def work(number: int) -> None:
            while waiting:
                assert await claim(database, waiting.pop(), f"worker-{number}", 1, rig.timing)

        settings = Postgres(url=rig.environment["RETAKE_DATABASE_URL"], pool=connections)
        async with open_database(settings, name="bench") as database:
            began = time.monotonic()
            await asyncio.gather(*(work(number) for number in range(connections)))
            took = time.monotonic() - began

    tell("claims alone, 16 jobs, 4 connections", jobs * parts / took, "claims/s", ">= 500")
    assert jobs * parts / took >= 500


_JOBS = """
    WITH source AS (
        INSERT INTO source (id, workspace, state, size) VALUES (gen_random_uuid(), %s, 'ready', 1)
        RETURNING id, workspace),
    job AS (
        INSERT INTO job (id, workspace, kind, state, started_at, variations, seed)
        SELECT gen_random_uuid(), source.workspace, 'variations', 'processing', now(), 1, 1
        FROM source, generate_series(1, %s) RETURNING id)
    INSERT INTO video (id, job_id, position, name, source_id, state)
    SELECT gen_random_uuid(), job.id, 0, 'a.mp4', source.id, 'processing' FROM job, source
"""
_PARTS = """
    INSERT INTO part (job_id, video_id, kind, indices, state, recipe_version)
    SELECT v.job_id, v.id, 'render', ARRAY[n], 'queued', 1 FROM generate_series(1, %s) AS n, video v ORDER BY n, v.id
"""


@pytest.mark.parametrize("workers", [1, 2, 4])
async def test_takes_from_end_to_end(tmp_path: Path, workers: int) -> None:
    count, takes = 40, 5
    async with stack(tmp_path, *[1] * workers) as rig:
        jobs = [await submit(rig, takes, size=100_000) for _ in range(count)]
        began = time.monotonic()
        for job in jobs:
            await accept(rig.database, job)
        await rig.bus.wake()
        await ended(rig, jobs)
        took = time.monotonic() - began

    tell(f"takes (copies of 100 kB) from end to end, {workers} workers", count * takes / took, "takes/s", "told")
