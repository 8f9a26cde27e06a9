"""From a file to its probe: what is found out about it, and the small pictures of it."""

import shutil
import time
from collections.abc import Awaitable, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clips import COPIED, GOOD, OLD, Clips
from retake.domain.errors import BadInput
from retake.domain.limits import Limits
from retake_worker.ffmpeg_command import SOURCE, look_of
from retake_worker.inspect import look_at, probed
from retake_worker.pictures import read_samples
from retake_worker.probe import Colours, Probe, Sound
from retake_worker.probe_command import pictures
from worker.cooking import Cook, make, recipe

pytestmark = pytest.mark.anyio

SECONDS = 10
"""No file may take longer, on a busy machine; most take a tenth of a second."""

Inspect = Callable[[str], Awaitable[Probe]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def inspected(clips: Clips, ffmpeg: Path, folder: Path) -> Inspect:
    async def look(name: str, limits: Limits = Limits()) -> Probe:  # noqa: B008
        shutil.copyfile(clips(name), folder / SOURCE)
        started = time.monotonic()
        try:
            return await probed(ffmpeg, limits, folder)
        finally:
            assert time.monotonic() - started < SECONDS

    return look


@pytest.mark.parametrize("name", [*GOOD, *COPIED, *OLD])
async def test_a_good_clip_is_taken_whole_and_leaves_small_pictures(
    name: str, inspected: Inspect, folder: Path
) -> None:
    probe = await inspected(name)

    assert probe.damaged == 0
    assert abs(probe.duration * probe.fps - probe.frames) < 1
    assert Probe.from_plain(probe.to_plain()) == probe
    assert pictures(folder)


async def test_a_probe_of_the_first_releases_is_understood(inspected: Inspect) -> None:
    plain = (await inspected("motion")).to_plain()
    first = {name: value for name, value in plain.items() if name not in {"colours", "interlaced", "sound_lasts"}}

    probe = Probe.from_plain({**first, "transfer": "bt709"})

    assert (probe.colours.transfer, probe.colours.matrix, probe.interlaced) == ("bt709", "unknown", False)


FIGURES: dict[str, dict[str, Any]] = {
    "motion": {"container": "mp4", "codec": "h264", "width": 480, "height": 270, "fps": 30, "frames": 60,
               "duration": 2.0, "pixel_format": "yuv420p", "rotation": 0, "sound": Sound(1, "aac", 44100, "mono")},
    "vertical": {"width": 270, "height": 480, "fps": 25, "frames": 50, "sound": None},
    "mov": {"container": "mov", "sound": Sound(1, "pcm", 44100, "mono")},
    "old_mov": {"container": "mov", "frames": 60},
    "prores": {"container": "mov", "codec": "prores", "pixel_format": "yuv422p10le", "frames": 9},
    "odd": {"width": 321, "height": 181, "pixel_format": "yuv444p"},
    "rotated": {"width": 270, "height": 480, "rotation": 90},
    "anamorphic": {"width": 320, "height": 180, "pixel_aspect": Fraction(4, 3)},
    "ntsc": {"fps": Fraction(30000, 1001), "frames": 60, "duration": 2.002},
    "fast": {"fps": 240, "frames": 120, "duration": 0.5},
    "uneven": {"frames": 41},
    "edited": {"frames": 45, "duration": 1.5, "fps": 30},
    "one_frame": {"frames": 1, "duration": 0.033333},
    "smallest": {"width": 16, "height": 16},
    "fragmented": {"frames": 60, "duration": 2.0},
    "long_gop": {"frames": 240, "duration": 8.0},
    "hevc": {"codec": "hevc"},
    "hdr": {"codec": "hevc", "pixel_format": "yuv420p10le",
            "colours": Colours("tv", "bt2020nc", "bt2020", "smpte2084")},
    "vp9": {"codec": "vp9"},
    "av1": {"codec": "av1"},
    "mpeg4_mp3": {"codec": "mpeg4", "sound": Sound(1, "mp3", 44100, "mono")},
    "two_sounds": {"sound": Sound(1, "aac", 44100, "mono")},
    "surround": {"sound": Sound(1, "aac", 48000, "5.1")},
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
async def test_the_figures_of_a_probe_are_those_the_clip_was_made_with(name: str, inspected: Inspect) -> None:
    probe = await inspected(name)

    assert {figure: getattr(probe, figure) for figure in FIGURES[name]} == FIGURES[name]


async def test_a_file_that_lies_about_its_size_meets_the_limit_when_it_is_decoded(
    clips: Clips, ffmpeg: Path, folder: Path
) -> None:
    lying = clips("too_large").read_bytes().replace((8192).to_bytes(2) + (4320).to_bytes(2), bytes([0, 64, 0, 64]))
    (folder / SOURCE).write_bytes(lying)

    with pytest.raises(BadInput) as refused:
        await probed(ffmpeg, Limits(), folder)

    assert refused.value.failure.code == "too_large"


def test_a_long_video_is_looked_at_from_its_first_frames_to_its_last(clips: Clips) -> None:
    look = look_at(clips("long"), Limits())

    starts = [window.start or 0.0 for window in look.stretches]
    assert len(starts) == 5
    assert starts == sorted(starts)
    assert (look.stretches[0].start, round(starts[-1])) == (None, 6)


async def test_a_small_picture_is_the_frame_as_people_see_it(inspected: Inspect, folder: Path) -> None:
    await inspected("rotated")

    assert {webp_size(one) for one in pictures(folder)} == {(180, 320)}


async def test_pixels_that_are_not_square_are_made_so_in_small_pictures(inspected: Inspect, folder: Path) -> None:
    await inspected("anamorphic")

    assert {webp_size(one) for one in pictures(folder)} == {(320, 136)}


async def test_samples_of_high_dynamic_range_are_as_bright_as_its_takes(cook: Cook) -> None:
    for name in ("hdr", "hlg"):
        kitchen = await cook(name)
        await make(kitchen, recipe())

        size = kitchen.clip.look_size
        looks = np.fromfile(kitchen.folder / look_of(0), np.uint8).reshape(-1, 3, size.height * size.width)
        taken = looks.mean(axis=(0, 2))
        planned = read_samples(kitchen.folder).mean(axis=(0, 2, 3))
        assert abs(taken - planned).max() < 3


async def test_the_picture_with_most_bytes_is_not_one_of_the_dark_ones(inspected: Inspect, folder: Path) -> None:
    await inspected("dark_start")

    dark, *_ = made = pictures(folder)
    assert len(max(made, key=len)) > 5 * len(dark)


def webp_size(data: bytes) -> tuple[int, int]:
    at = data.index(b"\x9d\x01\x2a") + 3
    return int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
