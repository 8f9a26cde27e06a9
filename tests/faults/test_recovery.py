"""`make faults`: how long work takes to go on after its worker is killed, with the leases and timers of production."""

import asyncio
import signal
import time
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
import structlog

from faults.campaign import say
from faults.jobs import clip, new_job
from faults.people import ended, submit
from faults.rig import Rig, Size, rigged
from faults.rounds import settled
from retake.audit import audit

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

KILLS, TARGET = 20, 75.0


async def recovery(rig: Rig, rng: Random) -> float:
    """Seconds from the kill -9 of the worker that holds a part of a new job until that job has ended."""
    new = await new_job(rig.database, rig.blobs, rig.workspaces[0], [clip(rng.randbytes(1000))], takes=5)
    await asyncio.sleep(rng.uniform(0, 60))
    await submit(rig, new)
    await holder(rig, new.id)
    await asyncio.sleep(rng.uniform(0, 1))
    struck = rig.signal(rig.children[await holder(rig, new.id)], signal.SIGKILL)
    killed = time.monotonic()
    await ended(rig, [new])
    assert struck
    return time.monotonic() - killed


async def holder(rig: Rig, job: UUID) -> str:
    while True:
        rows = await rig.eyes.see("SELECT worker FROM part WHERE job_id = %s AND state = 'running'", job)
        if rows:
            return str(rows[0]["worker"])
        await asyncio.sleep(0.01)


async def test_after_a_kill_everything_has_ended_within_seventy_five_seconds(tmp_path: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    seed = Random("recovery")

    async with rigged(tmp_path, Size(scale=1, slots=(1, 1, 1, 1, 1, 1), pause=0.4)) as rig:
        rngs = [Random(seed.random()) for _ in range(KILLS)]
        async with asyncio.timeout(300):
            times = await asyncio.gather(*(recovery(rig, rng) for rng in rngs))
            await settled(rig)
        wrong = [violation async for violation in audit(rig.database, rig.blobs, rig.bus, rig.timing, at_rest=True)]
        failed = await rig.eyes.see("SELECT id FROM job WHERE state <> 'completed'")

    say(f"\n{KILLS} kills with default leases: recovery p50 {sorted(times)[KILLS // 2]:.1f} s, p99 {max(times):.1f} s")
    assert (wrong, failed) == ([], [])
    assert max(times) <= TARGET
