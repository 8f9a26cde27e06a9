"""How fast work gets to workers: from announce to claim, claims alone, and takes from end to end."""

import asyncio
import time
from pathlib import Path

import nats
import pytest
from bench.figures import at, tell
from bench.stack import backlog, stack

from faults.jobs import clip, new_job
from faults.people import ended
from faults.rig import Rig
from retake.settings import Postgres
from retake.store.connect import open_database
from retake.store.jobs import NewJob, accept
from retake.store.parts import claim

pytestmark = [pytest.mark.anyio, pytest.mark.bench]


async def prepared(rig: Rig, takes: int) -> NewJob:
    return await new_job(rig.database, rig.blobs, rig.workspaces[0], [clip()], takes)


async def test_from_announce_to_claim_on_an_idle_stack(tmp_path: Path) -> None:
    announced: dict[str, float] = {}

    async def note(message: nats.aio.msg.Msg) -> None:
        announced[message.headers["Nats-Msg-Id"]] = time.time()

    async with stack(tmp_path, 2) as rig:
        client = await nats.connect(rig.environment["RETAKE_NATS_URL"])
        await client.subscribe("retake.parts.*", cb=note)
        jobs = [await prepared(rig, 1) for _ in range(100)]
        accepted = []
        for job in jobs:
            accepted.append(time.time())
            await accept(rig.database, job)
            await rig.bus.wake()
            await ended(rig, [job])
        await client.close()
        steps = [line.split() for line in (rig.orders / "worker-1.steps").read_text().splitlines()]

    claimed = sorted(float(when) for step, when, _ in steps if step == "claimed")
    assert len(claimed) == len(announced) == 2 * len(jobs)
    hops = [1000 * (when - before) for when, before in zip(claimed, sorted(announced.values()), strict=True)]
    firsts = [1000 * (claimed[2 * n] - before) for n, before in enumerate(accepted)]
    tell("announced -> claimed, p50", at(0.5, hops), "ms")
    tell("announced -> claimed, p99", at(0.99, hops), "ms", "< 50")
    tell("accepted -> claimed, p50", at(0.5, firsts), "ms")
    tell("accepted -> claimed, p99", at(0.99, firsts), "ms")
    assert at(0.99, hops) < 50


async def test_claims_of_four_connections_in_sixteen_jobs(tmp_path: Path) -> None:
    connections = 4
    async with stack(tmp_path) as rig:
        waiting = await backlog(rig, jobs=16, parts=200)
        count = len(waiting)

        async def work(number: int) -> None:
            while waiting:
                assert await claim(database, waiting.pop(), f"worker-{number}", 1, rig.timing)

        settings = Postgres(url=rig.environment["RETAKE_DATABASE_URL"], pool=connections)
        async with open_database(settings, name="bench") as database:
            began = time.monotonic()
            await asyncio.gather(*(work(number) for number in range(connections)))
            rate = count / (time.monotonic() - began)

    tell("claims alone, 16 jobs, 4 connections", rate, "claims/s", ">= 500")
    assert rate >= 500


@pytest.mark.parametrize("workers", [1, 2, 4])
async def test_takes_from_end_to_end(tmp_path: Path, workers: int) -> None:
    count, takes = 20, 5
    async with stack(tmp_path, *[1] * workers) as rig:
        jobs = [await prepared(rig, takes) for _ in range(count)]
        began = time.monotonic()
        for job in jobs:
            await accept(rig.database, job)
        await rig.bus.wake()
        await ended(rig, jobs)
        took = time.monotonic() - began

    tell(f"takes of a tiny video from end to end, {workers} workers", count * takes / took, "takes/s", "told")
