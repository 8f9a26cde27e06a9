"""What a take costs, in CPU seconds of all processes: the first version's way, one process per take, and the worker.

`make bench`, or `pytest -m bench --timeout 0 -s bench/test_render_cost.py`. Only ratios within one run mean anything.

- reference: as the first version of this product did it, one ffmpeg after another, one per take, rotate and eq;
- one each: the worker's own recipes, one run per take;
- together: the same recipes in one run;
- worker: together, and all else it does for the takes but moving bytes: checks, distances, checksums, in Python too.
"""

import resource
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from retake.domain.candidates import Candidates
from retake.domain.limits import Limits
from retake_worker.clip import clip_of
from retake_worker.ffmpeg_command import SOURCE, file_of
from retake_worker.ffmpeg_process import find_ffmpeg
from retake_worker.inspect import probed
from retake_worker.render import Kitchen, check, checksums, measure, render

pytestmark = [pytest.mark.bench, pytest.mark.anyio]

TAKES = 5
SECONDS = 6
PICTURE = "testsrc2=s={size}:r=30000/1001:d={seconds},noise=alls=7:allf=t,format=yuv420p"


def cpu_seconds() -> float:
    """Of this process and of all that it has waited for."""
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


def ffmpeg(*arguments: str) -> None:
    subprocess.run([find_ffmpeg(None), "-nostdin", "-v", "error", "-y", *arguments], check=True)


def make_clip(file: Path, size: str) -> None:
    ffmpeg(
        "-f", "lavfi", "-i", PICTURE.format(size=size, seconds=SECONDS), "-f", "lavfi", "-i", f"sine=440:d={SECONDS}",
        "-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M", "-c:a", "aac", "-f", "mp4", str(file),
    )  # fmt: skip


def reference(folder: Path) -> None:
    for take in range(1, TAKES + 1):
        angle, brightness = 0.06 + take * 0.1, take / 100 - 0.03
        ffmpeg(
            "-i", str(folder / SOURCE),
            "-vf", f"rotate={angle}*PI/180,eq=brightness={brightness:.3f}:contrast=1.02:saturation=0.98",
            "-r", "29.97", "-c:v", "libx264", "-b:v", "2000k", "-bufsize", "4000k", "-maxrate", "2500k",
            "-preset", "ultrafast", "-crf", "23", "-threads", "4", "-pix_fmt", "yuv420p", "-c:a", "aac",
            "-movflags", "+faststart", "-map_metadata", "-1", str(folder / "reference.mp4"),
        )  # fmt: skip


async def costs(kitchen: Kitchen) -> dict[str, float]:
    recipes = Candidates(1, "00" * 32, TAKES).first()

    def quietly(_frames: int) -> None:
        pass

    async def one_each() -> None:
        for recipe in recipes:
            await render(kitchen, [recipe], quietly)

    async def together() -> None:
        await render(kitchen, recipes, quietly)

    async def worker() -> None:
        await together()
        measure(kitchen, recipes)
        for recipe in recipes:
            await check(kitchen, recipe)
            checksums(kitchen.folder / file_of(recipe["index"]))

    async def first_version() -> None:
        reference(kitchen.folder)

    ways: dict[str, Callable[[], Awaitable[None]]] = {
        "reference": first_version,
        "one each": one_each,
        "together": together,
        "worker": worker,
    }
    spent = {}
    for way, work in ways.items():
        before = cpu_seconds()
        await work()
        spent[way] = (cpu_seconds() - before) / TAKES
    return spent


@pytest.mark.parametrize("size", ["1280x720", "1920x1080"])
async def test_cpu_seconds_of_a_take(size: str, tmp_path: Path) -> None:
    make_clip(tmp_path / SOURCE, size)
    program = find_ffmpeg(None)
    kitchen = Kitchen(program, clip_of(await probed(program, Limits(), tmp_path)), tmp_path, Limits())

    spent = await costs(kitchen)

    frames = kitchen.clip.frames
    print(f"\n{size}, {frames} frames, {TAKES} takes\n{'':12}{'CPU s/take':>12}{'ms/frame':>10}{'reference is':>14}")
    for way, seconds in spent.items():
        print(f"{way:12}{seconds:12.2f}{1000 * seconds / frames:10.1f}{spent['reference'] / seconds:13.2f}x")
    print(f"{'':12}one each is {spent['one each'] / spent['together']:.2f}x of together")
    shutil.rmtree(tmp_path)
    assert spent["worker"] < spent["reference"]
    assert spent["together"] < spent["one each"]
