"""Takes of small clips, made by the real ffmpeg and looked at by a player that knows nothing of recipes."""

import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from clips import Clips, Encoded
from playback import Player
from retake.domain.candidates import Candidates
from retake.domain.recipe import speed_of
from retake_worker.distance import compare, distances
from retake_worker.render import check, measure
from worker.cooking import Cook, kitchen_in, make, recipe

pytestmark = pytest.mark.anyio

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    "name", ["motion", "vertical", "odd", "ntsc", "fast", "uneven", "one_frame", "smallest", "rotated", "edited", "mov"]
)
async def test_every_take_has_the_frames_of_its_source_and_lasts_as_long_as_its_speed_says(
    cook: Cook, player: Player, name: str
) -> None:
    kitchen = await cook(name)
    clip, recipes = kitchen.clip, Candidates(5, SHA256, 3).first()

    files = await make(kitchen, *recipes)

    for one, file in zip(recipes, files, strict=True):
        picture, sound = player.picture(file), player.sound(file)
        due, frame = clip.seconds / speed_of(one), clip.seconds / clip.frames
        assert picture.pieces == clip.frames
        assert abs(picture.end - due) <= 2 * frame
        assert bool(sound.pieces) is (clip.sound is not None)
        assert not sound.pieces or abs(sound.end - due) <= 2 * frame + 0.03
        assert abs(await check(kitchen, one) - due) <= 2 * frame
        assert f" {clip.size.width}x{clip.size.height} " in player.says(file).replace(",", " ")
        assert "yuv420p" in player.says(file)


async def test_frames_keep_their_distances(cook: Cook, player: Player) -> None:
    kitchen = await cook("uneven")

    (file,) = await make(kitchen, recipe(speed={"factor": 1.06}))

    before, after = player.picture(kitchen.folder / "source").starts, player.picture(file).starts
    assert after == pytest.approx([start / 1.06 for start in before], abs=0.001)


async def test_a_mirrored_take_is_its_source_the_other_way_round(cook: Cook, player: Player) -> None:
    kitchen = await cook("motion")

    (file,) = await make(kitchen, recipe(mirror={}))

    there, back = player.look(kitchen.folder / "source", [0, 30], 160, 90), player.frames(file, 160, 90, "hflip")
    assert compare(there, player.look(file, [0, 30], 160, 90)).ssim < 0.8
    assert np.abs(back[[0, 30], 0] - there.y).mean() < 2


async def test_the_same_recipe_gives_the_same_bytes_alone_or_in_company(cook: Cook) -> None:
    kitchen, again = await cook("motion"), await cook("unicode")
    again = replace(again, clip=kitchen.clip)
    shutil.copyfile(kitchen.folder / "source", again.folder / "source")
    recipes = Candidates(5, SHA256, 3).first()

    together = await make(kitchen, *recipes)
    alone = await make(again, recipes[1])

    assert alone[0].read_bytes() == together[1].read_bytes()
    assert together[0].read_bytes() != together[1].read_bytes()


async def test_no_two_of_five_takes_are_near_nor_is_one_to_its_source(cook: Cook, player: Player) -> None:
    kitchen = await cook("motion")
    recipes = Candidates(11, SHA256, 5).first()

    files = await make(kitchen, *recipes)

    size, positions = kitchen.clip.look_size, kitchen.clip.look_positions
    looks = {0: player.look(kitchen.folder / "source", positions, size.width, size.height)}
    looks |= {n: player.look(file, positions, size.width, size.height) for n, file in enumerate(files, start=1)}
    pairs = {pair: compare(looks[pair[0]], looks[pair[1]]) for pair in combinations(looks, 2)}
    assert not [pair for pair, look in pairs.items() if look.near]
    measured = measure(kitchen, [1, 2, 3, 4, 5])
    for take, figures in distances(looks).items():
        assert measured[take]["source"]["ssim"] == pytest.approx(figures["source"]["ssim"], abs=0.02)
        assert measured[take]["source"]["dyuv"] == pytest.approx(figures["source"]["dyuv"], abs=0.5)
        assert measured[take]["nearest"]["ssim"] == pytest.approx(figures["nearest"]["ssim"], abs=0.02)


async def test_takes_of_nearly_the_same_recipe_are_near(cook: Cook, player: Player) -> None:
    kitchen = await cook("motion")
    small = {"brightness": 0.01, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}

    files = await make(
        kitchen,
        recipe(1, colour=small, noise={"strength": 4, "seed": 1}),
        recipe(2, colour={**small, "saturation": 1.01}, noise={"strength": 5, "seed": 2}),
    )

    looks = [player.look(file, kitchen.clip.look_positions, 160, 90) for file in files]
    assert compare(*looks).near
    nearest = measure(kitchen, [1, 2])[1]["nearest"]
    assert nearest["index"] == 2
    assert nearest["ssim"] > 0.985
    assert nearest["dyuv"] < 1.5


@pytest.mark.parametrize("factor", [0.95, 1.06])
async def test_sound_and_picture_stay_together(
    clips: Clips, ffmpeg: Path, tmp_path: Path, player: Player, factor: float
) -> None:
    """Once a second a flash and a beep, for ten seconds."""
    beep = "aevalsrc='0.8*sin(880*2*PI*t)*lt(mod(t,1),0.1)':s=48000:d=10"
    flash = "color=black:s=64x64:r=30:d=10,drawbox=c=white:t=fill:enable='lt(mod(n,30),3)'"
    made = clips.encode("beeps", Encoded(["-f", "lavfi", "-i", beep, "-c:a", "aac", "-c:v", "libx264"], source=flash))
    shutil.move(made, tmp_path / "source")
    kitchen = await kitchen_in(tmp_path, ffmpeg)

    (file,) = await make(kitchen, recipe(speed={"factor": factor}))

    bright = player.frames(file, 16, 16)[:, 0].mean(axis=(1, 2)) > 128
    flashes = np.array(player.picture(file).starts)[np.flatnonzero(np.diff(bright, prepend=False) & bright)]
    loud = player.loudness(file) > 4000
    quiet_before = np.array([not loud[max(0, at - 300) : at].any() for at in range(len(loud))])
    beeps = np.flatnonzero(loud & quiet_before) / 1000
    assert len(flashes) == len(beeps) == 10
    assert np.abs(flashes - beeps).max() < 0.03
    assert np.diff(flashes).mean() == pytest.approx(1 / factor, abs=0.001)


async def test_sound_that_starts_late_stays_late(cook: Cook, player: Player, clips: Clips) -> None:
    late = clips("motion").with_name("late.mp4")
    clips.run("-i", str(clips("motion")), "-itsoffset", "0.5", "-i", str(clips("motion")),
              "-map", "0:v", "-map", "1:a", "-c", "copy", str(late))  # fmt: skip
    kitchen = await cook("motion")
    shutil.copyfile(late, kitchen.folder / "source")

    (file,) = await make(kitchen, recipe(speed={"factor": 1.06}))

    assert np.argmax(player.loudness(file) > 500) / 1000 == pytest.approx(0.5 / 1.06, abs=0.03)


async def test_a_take_carries_nothing_of_what_its_source_said(cook: Cook, player: Player, clips: Clips) -> None:
    kitchen = await cook("motion")
    words = ["-metadata", "title=Holiday", "-metadata", "location=+48.2+016.3/", "-metadata:s:v", "handler_name=Camera"]
    clips.run("-i", str(clips("motion")), "-c", "copy", *words, "-f", "mp4", str(kitchen.folder / "source"))

    (file,) = await make(kitchen, recipe())

    assert "Holiday" in player.says(kitchen.folder / "source")
    assert not [word for word in ("Holiday", "48.2", "Camera", "creation_time") if word in player.says(file)]


async def test_the_shape_of_pixels_is_kept(cook: Cook, player: Player) -> None:
    kitchen = await cook("anamorphic")

    (file,) = await make(kitchen, recipe(zoom={"factor": 1.11, "x": 0.5, "y": 0.5}))

    assert "SAR 4:3" in player.says(file)


async def test_what_says_nothing_of_its_colours_is_tagged(cook: Cook, player: Player) -> None:
    kitchen = await cook("motion")

    (file,) = await make(kitchen, recipe())

    assert "smpte170m" in player.says(file)
