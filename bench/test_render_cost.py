"""What a take costs, in CPU seconds of all processes. `make bench-render`; only ratios within one run mean anything.

- reference: as the first version of this product did it, one ffmpeg after another, one per take, rotate and eq;
- one each: the worker's own recipes, one run of ffmpeg per take;
- together: the same recipes in one run, five at a time; ffmpeg alone
- worker: a real one, from the first message to its last commit: inspect, plan, fetch, hash, render, check, compare,
  store; against real Postgres, NATS and S3, whose own CPU is not counted;
- floor: x264 alone, on frames that are filtered already.
"""

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bench.footage import CLIPS, ffmpeg, made
from bench.stack import stack
from bench.timed_worker import cpu_seconds

from faults.jobs import put_source
from faults.people import ended
from retake.domain.limits import Limits
from retake.store.jobs import NewJob, accept
from retake_worker.clip import clip_of
from retake_worker.ffmpeg_command import SOURCE, render_arguments
from retake_worker.ffmpeg_process import find_ffmpeg
from retake_worker.inspect import probed
from retake_worker.render import Kitchen, render

pytestmark = [pytest.mark.bench, pytest.mark.anyio]

TAKES = 5
CHUNK = 8 * 2**20  # as the API cuts uploads
Recipes = Sequence[dict[str, Any]]


@pytest.mark.parametrize("name", CLIPS)
async def test_cpu_seconds_of_a_take(name: str, footage: Path, tmp_path: Path) -> None:
    source = made(name, footage)
    video = source.read_bytes()
    five = await by_worker(tmp_path / "five", video, TAKES)
    ten = await by_worker(tmp_path / "ten", video, 2 * TAKES)
    shutil.copyfile(source, tmp_path / SOURCE)
    program = find_ffmpeg(None)
    kitchen = Kitchen(program, clip_of(await probed(program, Limits(), tmp_path)), tmp_path, Limits())

    spent = {
        "reference": await each(reference, kitchen, five.recipes),
        "one each": await each(one_each, kitchen, five.recipes),
        "together": await each(together, kitchen, five.recipes),
        "worker, 5 takes": five.spent / TAKES,
        "worker, 10 takes": ten.spent / (2 * TAKES),
        "floor": floor(kitchen, five.recipes[0]),
    }

    clip = kitchen.clip
    print(f"\n{name}: {clip.width} x {clip.height}, {clip.frames} frames")
    print(f"{'':18}{'CPU s/take':>12}{'ms/frame':>10}{'reference is':>14}{'of floor':>10}")
    for way, seconds in spent.items():
        print(
            f"{way:18}{seconds:12.2f}{1000 * seconds / clip.frames:10.1f}{spent['reference'] / seconds:13.2f}x"
            f"{seconds / spent['floor']:9.2f}x"
        )
    for doing, seconds in five.shares.items():
        print(f"  of the worker's, 5 takes: {doing:24}{seconds / TAKES:8.2f}{100 * seconds / five.spent:6.0f} %")
    print(f"{'':18}one each is {spent['one each'] / spent['together']:.2f}x of together")
    assert spent["worker, 5 takes"] < spent["reference"]
    assert spent["together"] < spent["one each"]


@dataclass(frozen=True)
class Worked:
    """What a real worker spent on all takes of a video, in CPU seconds, and on what."""

    spent: float
    shares: Mapping[str, float]
    recipes: Recipes


STAGES = {
    "inspected": "inspect and plan",
    "downloaded": "fetch and hash",
    "rendered": "render, check, compare",
    "stored": "hash and store",
    "committed": "commit",
}
"""What a worker did when it reaches a step."""


async def by_worker(folder: Path, video: bytes, takes: int) -> Worked:
    async with stack(folder, 1) as rig:
        upload = await put_source(rig.database, rig.blobs, rig.workspaces[0], video, chunk=CHUNK)
        job = NewJob(rig.workspaces[0], [("clip.mp4", upload)], takes, 1)
        await accept(rig.database, job)
        await rig.bus.wake()
        await ended(rig, [job])
        rows = await rig.eyes.see("SELECT state, recipe FROM variation ORDER BY index")
        steps = [line.split() for line in (rig.orders / "worker-1.steps").read_text().splitlines()]
    assert [row["state"] for row in rows] == ["completed"] * takes
    reached = [(step, float(cpu)) for step, _, cpu in steps]
    shares: dict[str, float] = {}
    for (_, before), (step, after) in pairwise(reached):
        doing = STAGES.get(step, "claim and wait")
        shares[doing] = shares.get(doing, 0) + after - before
    return Worked(sum(shares.values()), shares, [row["recipe"] for row in rows])


async def each(way: Callable[[Kitchen, Recipes], Awaitable[None]], kitchen: Kitchen, recipes: Recipes) -> float:
    before = cpu_seconds()
    await way(kitchen, recipes)
    return (cpu_seconds() - before) / len(recipes)


async def reference(kitchen: Kitchen, recipes: Recipes) -> None:
    for take, _ in enumerate(recipes, start=1):
        angle, brightness = 0.06 + take * 0.1, take / 100 - 0.03
        ffmpeg(
            "-i", str(kitchen.folder / SOURCE),
            "-vf", f"rotate={angle}*PI/180,eq=brightness={brightness:.3f}:contrast=1.02:saturation=0.98",
            *REFERENCE_LINE, str(kitchen.folder / "reference.mp4"),
        )  # fmt: skip


REFERENCE_LINE = [
    "-r", "29.97", "-c:v", "libx264", "-b:v", "2000k", "-bufsize", "4000k", "-maxrate", "2500k",
    "-preset", "ultrafast", "-crf", "23", "-threads", "4", "-pix_fmt", "yuv420p", "-c:a", "aac",
    "-movflags", "+faststart", "-map_metadata", "-1",
]  # fmt: skip


async def one_each(kitchen: Kitchen, recipes: Recipes) -> None:
    for recipe in recipes:
        await render(kitchen, [recipe], lambda _frames: None)


async def together(kitchen: Kitchen, recipes: Recipes) -> None:
    await render(kitchen, recipes, lambda _frames: None)


def floor(kitchen: Kitchen, recipe: dict[str, Any]) -> float:
    """The take's own encoder, fed with the take's frames by another process, which is not counted."""
    arguments, size = render_arguments(kitchen.clip, [recipe], kitchen.limits), kitchen.clip.size
    graph, at = arguments.index("-filter_complex") + 1, arguments.index("-c:v")
    maps = [value for name, value in pairwise(arguments) if name == "-map"]
    feeding = [
        *arguments[: graph + 1], "-map", maps[0], "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1",
        *(argument for value in maps[1:] for argument in ["-map", value]), "-f", "null", "-",
    ]  # fmt: skip
    eating = [
        "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size.width}x{size.height}",
        "-r", str(kitchen.clip.fps), "-i", "pipe:0", *arguments[at : arguments.index("-flags:v", at)], "floor.mp4",
    ]  # fmt: skip
    with subprocess.Popen([kitchen.ffmpeg, *feeding], stdout=subprocess.PIPE, cwd=kitchen.folder) as feeder:
        with subprocess.Popen([kitchen.ffmpeg, *eating], stdin=feeder.stdout, cwd=kitchen.folder) as eater:
            _, status, usage = os.wait4(eater.pid, 0)
            eater.returncode = os.waitstatus_to_exitcode(status)
        assert (feeder.wait(), eater.returncode) == (0, 0)
    return usage.ru_utime + usage.ru_stime
