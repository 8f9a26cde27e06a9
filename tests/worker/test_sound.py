"""The sound of takes: together with the picture to the end, as loud as it was, and where it was."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from clips import X264, Clips, Encoded
from playback import Player
from retake.domain.effects import EFFECTS
from retake_worker.sandbox import Program
from worker.cooking import Cook, kitchen_in, make, recipe

pytestmark = pytest.mark.anyio

BOUNDS = sorted({bound for ranges in EFFECTS["speed"].ranges.values() for bound in ranges["factor"]})
RATE, MINUTE = 20, 60
FLASH = f"color=black:s=32x32:r={RATE}:d={MINUTE},drawbox=c=white:t=fill:enable='lt(mod(n,{5 * RATE}),2)'"
BEEP = f"aevalsrc='0.8*sin(1000*2*PI*t)*lt(mod(t,5),0.05)':s=48000:d={MINUTE}"


async def test_sound_and_picture_are_together_a_minute_on_at_every_bound_of_speed(
    clips: Clips, ffmpeg: Program, tmp_path: Path, player: Player
) -> None:
    """Every five seconds a flash and a beep, and silence between them, where nothing tells time."""
    made = clips.encode("beeps", Encoded(["-f", "lavfi", "-i", BEEP, "-c:a", "aac", *X264], source=FLASH))
    shutil.move(made, tmp_path / "source")
    kitchen = await kitchen_in(tmp_path, ffmpeg)
    recipes = [recipe(index, speed={"factor": factor}) for index, factor in enumerate(BOUNDS, start=1)]

    files = await make(kitchen, *recipes)

    assert len(BOUNDS) == 6
    for factor, file in zip(BOUNDS, files, strict=True):
        starts = np.array(player.picture(file).starts)
        bright = player.frames(file, 16, 16)[:, 0].mean(axis=(1, 2)) > 128
        flashes = starts[np.flatnonzero(np.diff(bright, prepend=False) & bright)]
        loud = np.flatnonzero(player.loudness(file) > 4000) / 1000
        beeps = loud[np.diff(loud, prepend=-1) > 0.5]
        assert len(starts) == RATE * MINUTE
        assert len(flashes) == len(beeps) == MINUTE // 5
        assert np.abs(flashes - beeps).max() < 0.020
        assert flashes == pytest.approx(np.arange(0, MINUTE, 5) / factor, abs=0.001)


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
async def test_sound_is_as_loud_as_it_was(
    clips: Clips, ffmpeg: Program, tmp_path: Path, player: Player, layout: str
) -> None:
    """Of surround, what comes from the front: what comes from behind is meant to be louder there than mixed down."""
    low, middle, high = (f"0.2*sin({hertz}*2*PI*t)*(1+sin(9*t))" for hertz in (220, 700, 1900))
    channels = {"mono": [middle], "stereo": [low, high], "5.1": [low, high, middle, "0", "0", "0"]}
    sound = f"aevalsrc='{'|'.join(channels[layout])}':c={layout}:s=48000:d=4"
    made = clips.encode(layout, Encoded(["-f", "lavfi", "-i", sound, "-c:a", "aac", *X264], seconds=4))
    shutil.move(made, tmp_path / "source")
    kitchen = await kitchen_in(tmp_path, ffmpeg)

    files = await make(kitchen, recipe(1), recipe(2, speed={"factor": 1.12}))

    before = player.lufs(tmp_path / "source")
    assert [player.lufs(file) for file in files] == [pytest.approx(before, abs=0.5)] * 2


async def test_surround_that_adds_up_to_more_than_there_is_room_for_is_held_back(cook: Cook, player: Player) -> None:
    kitchen = await cook("surround")

    (file,) = await make(kitchen, recipe())

    assert player.peak(file) < 1.1


async def test_silence_stays_silent(clips: Clips, ffmpeg: Program, tmp_path: Path, player: Player) -> None:
    silence = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo:d=2", "-c:a", "aac", *X264]
    shutil.move(clips.encode("silent", Encoded(silence)), tmp_path / "source")
    kitchen = await kitchen_in(tmp_path, ffmpeg)

    (file,) = await make(kitchen, recipe(speed={"factor": 0.95}))

    assert player.peak(file) < 1 / 32768


async def test_sound_that_starts_late_stays_late(cook: Cook, player: Player, clips: Clips) -> None:
    late = clips("motion").with_name("late.mp4")
    clips.run("-i", str(clips("motion")), "-itsoffset", "0.5", "-i", str(clips("motion")),
              "-map", "0:v", "-map", "1:a", "-c", "copy", str(late))  # fmt: skip
    kitchen = await cook("motion")
    shutil.copyfile(late, kitchen.folder / "source")

    (file,) = await make(kitchen, recipe(speed={"factor": 1.06}))

    assert np.argmax(player.loudness(file) > 500) / 1000 == pytest.approx(0.5 / 1.06, abs=0.03)
