"""Every effect through the real ffmpeg: what its picture looks like, and that it looks like what was predicted."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playback import Player
from retake.domain.candidates import Candidates
from retake.domain.options import read_render_options
from retake.domain.recipe import lasting
from retake_worker.distance import Planes
from retake_worker.inspect import probed
from retake_worker.pictures import read_samples
from retake_worker.prediction import predict
from retake_worker.render import Kitchen, check
from scenes import Film, Films
from worker.cooking import Cook, kitchen_in, make, recipe

pytestmark = pytest.mark.anyio

SHA256 = "ab" * 32
COLOUR = {"brightness": 0.07, "contrast": 1.1, "saturation": 0.8, "hue": 12.0}
BORDER = {"width": 0.08, "red": 255, "green": 0, "blue": 0}


@pytest.fixture
async def kitchen(films: Films, ffmpeg: Any, tmp_path: Path) -> Kitchen:
    shutil.copyfile(films(Film("face", 320, 180, seconds=0.8, sound=False)), tmp_path / "source")
    return await kitchen_in(tmp_path, ffmpeg)


def corners(planes: Planes) -> Planes:
    """Brightness, frame by frame, of the four outermost squares of 4 pixels."""
    y = planes[:, 0]
    squares = [y[:, :4, :4], y[:, :4, -4:], y[:, -4:, :4], y[:, -4:, -4:]]
    return np.stack([square.mean(axis=(1, 2)) for square in squares])


async def test_effects_look_as_they_are_predicted(kitchen: Kitchen, player: Player) -> None:
    await probed(kitchen.ffmpeg, kitchen.limits, kitchen.folder)
    size, look = kitchen.clip.size, kitchen.clip.look_size
    samples = read_samples(kitchen.folder)
    recipes = [
        recipe(1, zoom={"factor": 1.2, "x": 0.9, "y": 0.2}),
        recipe(2, rotate={"degrees": 2.5}),
        recipe(3, mirror={}),
        recipe(4, colour=COLOUR),
        recipe(5, vignette={"angle": 0.7}),
        recipe(6, border=BORDER),
        recipe(7, zoom={"factor": 1.1, "x": 0, "y": 1}, rotate={"degrees": -3}, mirror={}, colour=COLOUR,
               vignette={"angle": 0.5}, border=BORDER),
    ]  # fmt: skip

    files = await make(kitchen, *recipes)

    positions = [2, 6, 10, 14, 18, 22]  # where inspect took its samples: every fourth
    source = player.look(kitchen.folder / "source", positions, look.width, look.height)
    assert len(samples) == len(positions)
    for one, file in zip(recipes, files, strict=True):
        seen, due = player.look(file, positions, look.width, look.height), predict(samples, one, size, look)
        off = np.abs(seen.grid - due.grid).mean()
        assert off < 0.7, one["effects"]
        assert off < 0.15 * np.abs(seen.grid - source.grid).mean(), one["effects"]


async def test_turned_pictures_have_no_black_corners(kitchen: Kitchen, player: Player) -> None:
    there, back = await make(kitchen, recipe(1, rotate={"degrees": 3}), recipe(2, rotate={"degrees": -3}))

    plain = corners(player.frames(kitchen.folder / "source", 320, 180))
    for file in (there, back):
        assert corners(player.frames(file, 320, 180)).min() > plain.min() / 2 > 20


async def test_a_border_is_there_when_it_is_asked_for_and_else_is_not(kitchen: Kitchen, player: Player) -> None:
    candidates = Candidates(1, SHA256, 1, read_render_options({"preset": "strong"})).first()

    (bare, edged) = await make(
        kitchen, {**candidates[0], "index": 1}, recipe(2, border={"width": 0.05, "red": 0, "green": 0, "blue": 255})
    )

    blue = player.frames(edged, 320, 180)[:, 1, :6].mean()
    assert blue > 220
    assert player.frames(edged, 320, 180)[:, 1, 12:-12, 12:-12].mean() < 160
    assert player.frames(bare, 320, 180)[:, 1, :6].mean() < 160


async def test_sharpness_goes_both_ways(kitchen: Kitchen, player: Player) -> None:
    files = await make(
        kitchen, *(recipe(n, sharpness={"amount": amount}) for n, amount in ((1, -1.0), (2, 0), (3, 1.0)))
    )

    edges = [np.abs(np.diff(player.frames(file, 320, 180)[:, 0], axis=2)).mean() for file in files]
    assert edges == sorted(edges)
    assert edges[2] > 1.3 * edges[0]


async def test_trimmed_takes_lose_both_ends_and_keep_picture_and_sound_together(cook: Cook, player: Player) -> None:
    kitchen = await cook("motion")
    trimmed = recipe(1, trim={"head": 0.06, "tail": 0.04}, speed={"factor": 1.06})

    (file,) = await make(kitchen, trimmed)

    (verdict,) = await check(kitchen, [trimmed])
    due = lasting(trimmed, kitchen.clip.seconds)
    assert due == pytest.approx((2 - 0.1) / 1.06)
    assert verdict == pytest.approx(due, abs=0.05)
    picture, sound = player.picture(file), player.sound(file)
    assert picture.pieces == pytest.approx(60 - 3, abs=1)
    assert sound.end == pytest.approx(picture.end, abs=0.06)
    first = player.frames(file, 160, 90)[0, 0]
    ahead = player.frames(kitchen.folder / "source", 160, 90)[:5, 0]
    assert np.abs(ahead - first).mean(axis=(1, 2)).argmin() == 2


async def test_audio_gets_louder_and_softer_and_is_not_cut_off(cook: Cook, player: Player) -> None:
    kitchen = await cook("motion")

    soft, plain, loud = await make(
        kitchen, *(recipe(n, audio={"gain": gain, "tilt": 0}) for n, gain in ((1, -3.0), (2, 0), (3, 3.0)))
    )

    levels = [np.median(player.loudness(file, per_second=20)) for file in (soft, plain, loud)]
    assert 20 * np.log10(levels[1] / levels[0]) == pytest.approx(3, abs=0.3)
    assert 20 * np.log10(levels[2] / levels[1]) == pytest.approx(3, abs=0.3)


async def test_better_profiles_keep_more_of_the_picture(kitchen: Kitchen, player: Player) -> None:
    takes = [{**recipe(n), "output": {"profile": name}} for n, name in enumerate(("fast", "balanced", "best"), start=1)]

    files = await make(kitchen, *takes)

    source = player.frames(kitchen.folder / "source", 320, 180)[:, 0]
    lost = [float(((player.frames(file, 320, 180)[:, 0] - source) ** 2).mean()) for file in files]
    assert lost[2] < lost[0]
    assert [await check(kitchen, [take]) for take in takes] == [[pytest.approx(0.8, abs=0.01)]] * 3


async def test_a_recipe_that_was_shown_and_is_given_back_makes_the_same_bytes(kitchen: Kitchen) -> None:
    recipes = Candidates(5, SHA256, 3, read_render_options({"preset": "strong"})).first()
    together = [file.read_bytes() for file in await make(kitchen, *recipes)]
    given = read_render_options({"recipes": [recipes[2]]})

    (again,) = await make(kitchen, *Candidates(77, "0" * 64, 1, given).first())

    assert again.read_bytes() == together[2]
    assert together[2] != together[1]
