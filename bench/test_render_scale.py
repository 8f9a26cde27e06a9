"""How many takes a second one worker makes, and two: each keeps one core busy, so that two make twice as many where
there are two cores and nobody else. `make bench-render`."""

import os
import time
from pathlib import Path

import pytest
from bench.footage import made
from bench.stack import stack
from bench.test_render_cost import CHUNK, TAKES

from faults.jobs import put_source
from faults.people import ended
from retake.store.jobs import NewJob, accept

pytestmark = [pytest.mark.bench, pytest.mark.anyio]

VIDEOS = 4


async def test_two_workers_make_twice_as_many_takes(footage: Path, tmp_path: Path) -> None:
    video = made("720p", footage).read_bytes()

    rates = {workers: await takes_a_second(tmp_path / str(workers), workers, video) for workers in (1, 2)}

    print(f"\n{VIDEOS} videos of 720p, {TAKES} takes each, {os.cpu_count()} cores")
    for workers, rate in rates.items():
        print(f"{workers} workers{rate:8.2f} takes/s{rate / rates[1] / workers:7.2f} x linear")
    assert rates[2] > rates[1]


async def takes_a_second(folder: Path, workers: int, video: bytes) -> float:
    async with stack(folder, *[1] * workers) as rig:
        uploads = [
            await put_source(rig.database, rig.blobs, rig.workspaces[0], video, chunk=CHUNK) for _ in range(VIDEOS)
        ]
        job = NewJob(rig.workspaces[0], [(f"{n}.mp4", upload) for n, upload in enumerate(uploads)], TAKES, 1)
        began = time.monotonic()
        await accept(rig.database, job)
        await rig.bus.wake()
        await ended(rig, [job])
        return VIDEOS * TAKES / (time.monotonic() - began)
