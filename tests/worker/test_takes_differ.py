"""The promise: takes of a video look different from each other and from it. Planned, encoded, and decoded again.

That these tests can fail is shown by two sets of recipes that do not keep the promise.
"""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clips import Clips
from retake.domain.candidates import Candidates
from retake.domain.draws import Draws
from retake.domain.options import read_render_options
from retake_worker.distance import Frames, differences, near_pairs
from retake_worker.ffmpeg_command import file_of
from retake_worker.inspect import chosen_of, probed
from retake_worker.pictures import read_samples
from retake_worker.prediction import as_it_is, predict
from retake_worker.render import Kitchen, measure
from scenes import KINDS, Film, Films
from worker.cooking import kitchen_in, make, recipe

pytestmark = pytest.mark.anyio

SHA256 = "ab" * 32
TAKES = 20


@pytest.fixture
def kitchen_of(films: Films, ffmpeg: Any, tmp_path: Path) -> Callable[[str], Any]:
    async def ready(kind: str) -> Kitchen:
        width, height = (180, 320) if kind == "vertical" else (320, 180)
        shutil.copyfile(films(Film(kind, width, height, seconds=0.8, sound=False)), tmp_path / "source")
        return await kitchen_in(tmp_path, ffmpeg)

    return ready


def decoded(kitchen: Kitchen, takes: int) -> dict[int, Frames]:
    """The small frames of the source and of the encoded takes, all by one run."""
    size, files = kitchen.clip.look_size, ["source", *(file_of(n) for n in range(1, takes + 1))]
    wanted = "+".join(f"eq(n,{n})" for n in kitchen.clip.look_positions)
    small = f"select='{wanted}',settb=1,setpts=N,scale={size.width}:{size.height}:flags=area,format=yuv444p"
    graph = ";".join(f"[{n}:v]{small}[s{n}]" for n in range(len(files)))
    stack = "".join(f"[s{n}]" for n in range(len(files))) + f"vstack=inputs={len(files)}"
    raw = subprocess.run(
        [kitchen.ffmpeg, "-v", "error", *(word for file in files for word in ("-i", file)),
         "-filter_complex", f"{graph};{stack}", "-fps_mode", "passthrough", "-f", "rawvideo", "-"],
        cwd=kitchen.folder, stdout=subprocess.PIPE, check=True, timeout=60,
    ).stdout  # fmt: skip
    planes = np.frombuffer(raw, np.uint8).reshape(-1, 3, len(files), size.height, size.width).astype(np.float32)
    assert len(planes) == len(kitchen.clip.look_positions)
    return {n: Frames(planes[:, :, n]) for n in range(len(files))}


async def planned(kitchen: Kitchen, options: dict[str, Any] | None = None) -> tuple[Sequence[Any], Any]:
    probe = await probed(kitchen.ffmpeg, kitchen.limits, kitchen.folder)
    candidates = Candidates(11, SHA256, TAKES, read_render_options(options or {}))
    return chosen_of(candidates, probe, kitchen.folder)


@pytest.mark.parametrize("kind", KINDS)
async def test_twenty_classic_takes_differ_from_each_other_and_from_their_source(
    kitchen_of: Callable[[str], Any], kind: str
) -> None:
    kitchen = await kitchen_of(kind)
    recipes, told = await planned(kitchen)

    await make(kitchen, *recipes)

    measured = measure(kitchen, recipes)
    pairs = differences(decoded(kitchen, TAKES))
    assert len(pairs) == 210
    assert (told["pairs"], measured.near, near_pairs(pairs)) == ([], [], [])
    samples, clip = read_samples(kitchen.folder), kitchen.clip
    looks = {recipe["index"]: predict(samples, recipe, clip.size, clip.look_size) for recipe in recipes}
    there = differences({0: as_it_is(samples, clip.look_size), **looks})
    wrong = [abs(there[pair].ssim - pairs[pair].ssim) for pair in pairs]
    assert np.median(wrong) < 0.03
    assert np.corrcoef([there[pair].dyuv for pair in pairs], [pairs[pair].dyuv for pair in pairs])[0, 1] > 0.98


async def test_independent_draws_leave_takes_that_look_the_same(kitchen_of: Callable[[str], Any]) -> None:
    kitchen, candidates = await kitchen_of("animation"), Candidates(1, SHA256, TAKES)
    recipes = [candidates.another(index, turn=7) for index in range(1, TAKES + 1)]

    await make(kitchen, *recipes)

    assert (8, 20) in near_pairs(differences(decoded(kitchen, TAKES)))


@cache
def first_version() -> Sequence[dict[str, Any]]:
    """Turned by less than a degree, colours within a twentieth."""
    draws = Draws("first version")

    def within(low: float, high: float, *names: object, decimals: int = 3) -> float:
        return round(low + (high - low) * draws.unit(*names), decimals)

    return [
        recipe(
            n,
            rotate={"degrees": within(0.06, 0.57, n, "degrees")},
            colour={
                "brightness": within(-0.05, 0.05, n, "brightness", decimals=2),
                "contrast": within(0.95, 1.05, n, "contrast"),
                "saturation": within(0.95, 1.05, n, "saturation"),
                "hue": 0.0,
            },
        )
        for n in range(1, TAKES + 1)
    ]


async def test_what_the_first_version_did_leaves_many(kitchen_of: Callable[[str], Any]) -> None:
    kitchen = await kitchen_of("face")

    await make(kitchen, *first_version())

    assert len(near_pairs(differences(decoded(kitchen, TAKES)))) >= 5


async def test_of_a_video_that_shows_nothing_it_is_told_that_takes_are_alike(
    kitchen_of: Callable[[str], Any], clips: Clips
) -> None:
    kitchen = await kitchen_of("face")
    shutil.copyfile(clips("dark"), kitchen.folder / "source")
    black = await kitchen_in(kitchen.folder, kitchen.ffmpeg)

    recipes, told = await planned(black, {"preset": "subtle"})

    assert len(recipes) == TAKES
    assert len(told["pairs"]) > 10
    assert told["measured"] is False
