"""What a pass of the relay costs with a backlog of 100,000 parts, whoever they belong to."""

import time
from pathlib import Path

import pytest
from bench.figures import at, tell
from bench.stack import backlog, stack

from retake.domain.work import RECIPE_VERSION
from retake.store import fleet
from retake.store.announcements import next_to_announce, withdraw_unheard

pytestmark = [pytest.mark.anyio, pytest.mark.bench]

PARTS, SLOTS = 100_000, 16


@pytest.mark.parametrize("jobs", [1000, 1])
async def test_a_pass_over_a_long_backlog(tmp_path: Path, jobs: int) -> None:
    async with stack(tmp_path) as rig:
        await backlog(rig, jobs, PARTS // jobs)
        await fleet.seen(rig.database, "idle", version="1", recipe_version=RECIPE_VERSION, slots=SLOTS)
        withdrawing, choosing = [], []
        for _ in range(50):
            began = time.monotonic()
            await withdraw_unheard(rig.database, rig.timing)
            withdrawing.append(1000 * (time.monotonic() - began))
            began = time.monotonic()
            chosen = await next_to_announce(rig.database, rig.timing)
            choosing.append(1000 * (time.monotonic() - began))
            assert len(chosen) == SLOTS

    tell(f"what to announce, {PARTS} parts in {jobs} jobs, p50", at(0.5, choosing), "ms", "< 20")
    tell(f"what to announce, {PARTS} parts in {jobs} jobs, most", at(1, choosing), "ms")
    tell(f"what to withdraw, {PARTS} parts in {jobs} jobs, p50", at(0.5, withdrawing), "ms")
    assert at(0.5, choosing) < 20
