"""What people do to jobs under way, on the whole system: stop them anywhere, let them wait, have them tried again."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from clips import Clips
from conftest import eventually
from e2e.test_slice import ended, ffmpegs, left_over, logged_in, names_in_zip, rows, show, submit
from retake.domain.errors import ENCODER
from retake.domain.timing import Timing
from retake.domain.work import RECIPE_VERSION
from retake.settings import Postgres
from retake.store import parts
from retake.store.connect import open_database
from running import Run, running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

AT_ONCE = 15.0
"""Seconds within which a cancelled job has stopped, with leases and timers as they are in earnest."""


async def control(client: httpx.AsyncClient, job: str, action: str) -> str:
    answer = (await client.post(f"/api/jobs/{job}/control", json={"action": action})).raise_for_status()
    return str(answer.json()["status"])


async def is_rendering(run: Run, job: str) -> bool:
    running_parts = await rows(
        run, f"SELECT FROM part WHERE job_id = '{job}' AND kind = 'render' AND state = 'running'"
    )
    return bool(running_parts and ffmpegs(run))


async def test_a_cancelled_job_stops_in_time_wherever_it_is_also_without_nats_and_harms_no_other(
    tmp_path: Path, clips: Clips
) -> None:
    async with running(tmp_path) as run, logged_in(run) as client:
        long = await submit(client, [clips("long")], 20)
        await eventually(lambda: is_rendering(run, long), within=60)
        waiting, paused, other = [await submit(client, [clips("motion")], 1) for _ in range(3)]
        await control(client, paused, "pause")

        at_once = [await control(client, job, "cancel") for job in (waiting, paused)]
        os.kill(run.pid("nats"), signal.SIGSTOP)
        began = time.monotonic()
        await control(client, long, "cancel")
        stopped = await ended(client, long, within=AT_ONCE)
        took = time.monotonic() - began
        encoders = ffmpegs(run)
        os.kill(run.pid("nats"), signal.SIGCONT)
        done = await ended(client, other)
        scratch, _ = await left_over(run)
        half = await rows(run, f"SELECT FROM part WHERE job_id <> '{other}' AND state IN ('queued', 'running')")

    assert at_once == ["cancelled", "cancelled"]
    assert (stopped["status"], encoders) == ("cancelled", [])
    assert took < AT_ONCE
    assert {take["status"] for file in stopped["files"] for take in file["variations"]} <= {"completed", "cancelled"}
    assert done["status"] == "completed"
    assert (scratch, half) == ([], [])


async def test_what_people_want_survives_a_restart_and_what_failed_or_was_cancelled_is_made_when_tried_again(
    tmp_path: Path, clips: Clips
) -> None:
    async with running(tmp_path, RETAKE_WORKERS="0", RETAKE_TIME_SCALE="0.1") as run, logged_in(run) as client:
        paused, cancelled, failed = [await submit(client, [clips("motion")], 2) for _ in range(3)]
        await control(client, paused, "pause")
        await control(client, cancelled, "cancel")
        [(part,)] = await rows(run, f"SELECT id FROM part WHERE job_id = '{failed}'")
        async with open_database(
            Postgres(url=run.environment()["RETAKE_DATABASE_URL"], pool=2), name="test"
        ) as database:
            claimed = await parts.claim(database, part, "somebody", RECIPE_VERSION, Timing())
            assert claimed is not None
            await parts.fail_inspect(database, claimed, ENCODER, Timing())
        before = [(await show(client, job))["status"] for job in (paused, cancelled, failed)]

    async with running(tmp_path, RETAKE_TIME_SCALE="0.1") as run, logged_in(run) as client:
        for job in (cancelled, failed):
            (await client.post(f"/api/jobs/{job}/retry")).raise_for_status()
        again = [(await ended(client, job))["status"] for job in (cancelled, failed)]
        still = (await show(client, paused))["status"]
        await control(client, paused, "resume")
        last = (await ended(client, paused))["status"]
        names = await names_in_zip(client, paused)

    assert before == ["paused", "cancelled", "failed"]
    assert (again, still, last) == (["completed", "completed"], "paused", "completed")
    assert names == ["manifest.csv", "manifest.json", "motion/motion_var1.mp4", "motion/motion_var2.mp4"]
