"""What a take costs, in CPU seconds of all processes. `make bench-render`; only ratios within one run mean anything.

- reference: as the first version of this product did it, one ffmpeg after another, one per take, rotate and eq;
- one each: the worker's own recipes, one run of ffmpeg per take;
- together: the same recipes in one run, five at a time; ffmpeg alone
- worker: a real one, from the first message to its last commit: inspect, plan, fetch, hash, render, check, compare,
  store; against real Postgres, NATS and S3, whose own CPU is not counted;
- floor: x264 alone, on frames that are filtered already; of all five takes, which differ much.

The table of docs/performance.md is printed at the end, from the medians of all rounds, ratios being taken in each.
"""

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
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
from retake_worker.engine import STANDARD
from retake_worker.ffmpeg_command import SOURCE, render_arguments
from retake_worker.ffmpeg_process import find_ffmpeg
from retake_worker.inspect import probed
from retake_worker.render import Kitchen, render

pytestmark = [pytest.mark.bench, pytest.mark.anyio]

TAKES = 5
ROUNDS = 3
"""All ways, one after the other, so often: what else goes on meets them alike."""

WAYS = ("reference", "one each", "together", "worker, 5 takes", "worker, 10 takes", "floor")
TARGETS = (
    ("reference", "worker, 5 takes", "at least 3 at 1080p"),
    ("reference", "worker, 10 takes", "at least 3 at 1080p"),
    ("reference", "together", "FFmpeg alone"),
    ("one each", "together", "at least 1.4"),
    ("worker, 5 takes", "floor", "at most 1.8"),
)
CHUNK = 8 * 2**20  # as the API cuts uploads
Recipes = Sequence[dict[str, Any]]
Round = Mapping[str, float]
"""CPU seconds of a take, by each way, and by each stage of the worker."""


@pytest.fixture(scope="module")
def page() -> Iterator[dict[str, list[Round]]]:
    """All that was measured; in the end the table of docs/performance.md is printed from it."""
    rounds: dict[str, list[Round]] = {}
    yield rounds
    if rounds:
        print("\n\n" + "\n".join(table(rounds)))


@pytest.mark.parametrize("name", CLIPS)
async def test_cpu_seconds_of_a_take(name: str, footage: Path, tmp_path: Path, page: dict[str, list[Round]]) -> None:
    source = made(name, footage)
    shutil.copyfile(source, tmp_path / SOURCE)
    program = find_ffmpeg(None)
    kitchen = Kitchen(program, clip_of(await probed(program, Limits(), tmp_path)), tmp_path, Limits())

    for number in range(ROUNDS):
        page.setdefault(name, []).append(await one_round(tmp_path / str(number), source.read_bytes(), kitchen))
        print(f"\n{name}, round {number + 1} of {ROUNDS}:", {way: f"{cpu:.2f}" for way, cpu in page[name][-1].items()})

    assert of(page[name], "worker, 5 takes", "reference") < 1
    assert of(page[name], "together", "one each") < 1


async def one_round(folder: Path, video: bytes, kitchen: Kitchen) -> Round:
    five = await by_worker(folder / "five", video, TAKES)
    ten = await by_worker(folder / "ten", video, 2 * TAKES)
    return {
        "reference": await each(reference, kitchen, five.recipes),
        "one each": await each(one_each, kitchen, five.recipes),
        "together": await each(together, kitchen, five.recipes),
        "worker, 5 takes": five.spent / TAKES,
        "worker, 10 takes": ten.spent / (2 * TAKES),
        "floor": sum(floor(kitchen, recipe) for recipe in five.recipes) / TAKES,
        **{stage: spent / TAKES for stage, spent in five.shares.items()},
    }


def of(rounds: list[Round], one: str, other: str) -> float:
    """How many times the other, by the median of the rounds."""
    return median(each[one] / each[other] for each in rounds)


def table(page: Mapping[str, list[Round]]) -> list[str]:
    """As it stands in docs/performance.md."""

    def row(says: str, figure: Callable[[list[Round]], str]) -> str:
        return f"| {says} | {' | '.join(figure(rounds) for rounds in page.values())} |"

    stages = dict.fromkeys(stage for rounds in page.values() for stage in rounds[0] if stage not in WAYS)
    return [
        f"| {datetime.now(UTC):%Y-%m-%d}, load {os.getloadavg()[2]:.0f}, {ROUNDS} rounds | {' | '.join(page)} |",
        f"|---{'|---' * len(page)}|",
        *(row(f"{way}, CPU s per take", partial(_seconds, way=way)) for way in WAYS),
        *(
            row(f"{over} / {under}, {target}", partial(_ratio, over=over, under=under))
            for over, under, target in TARGETS
        ),
        *(row(f"of the worker, 5 takes: {stage}", partial(_share, stage=stage)) for stage in stages),
    ]


def _seconds(rounds: list[Round], way: str) -> str:
    return f"{median(one[way] for one in rounds):.2f}"


def _ratio(rounds: list[Round], over: str, under: str) -> str:
    """The median, and from where to where it was."""
    found = [one[over] / one[under] for one in rounds]
    return f"{median(found):.2f}x ({min(found):.2f} to {max(found):.2f})"


def _share(rounds: list[Round], stage: str) -> str:
    return f"{100 * of(rounds, stage, 'worker, 5 takes'):.0f} %"


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
        *arguments[: graph + 1], "-map", maps[0], "-fps_mode", "passthrough", "-enc_time_base", STANDARD.time_base,
        "-f", "rawvideo", "pipe:1",
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
