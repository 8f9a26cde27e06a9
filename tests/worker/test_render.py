"""Takes of small clips, made by the real ffmpeg and looked at by a player that knows nothing of recipes."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from clips import Clips
from playback import Player
from retake.domain.candidates import Candidates
from retake.domain.recipe import speed_of
from retake_worker.distance import compare, differences, distances, near_pairs
from retake_worker.render import measure, render
from worker.cooking import Cook, make, recipe

pytestmark = pytest.mark.anyio

SHA256 = "ab" * 32


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
    pairs = differences(looks)
    assert near_pairs(pairs) == []
    measured = measure(kitchen, recipes)
    assert measured.near == []
    for take, figures in distances(pairs, range(1, 6), dict.fromkeys(range(6), 1.0)).items():
        told = measured.distances[take]
        assert told["source"]["look"]["ssim"] == pytest.approx(figures["source"]["look"]["ssim"], abs=0.02)
        assert told["source"]["look"]["dyuv"] == pytest.approx(figures["source"]["look"]["dyuv"], abs=0.5)
        assert told["nearest"]["look"]["ssim"] == pytest.approx(figures["nearest"]["look"]["ssim"], abs=0.02)
        assert told["source"]["time"] == pytest.approx(1 / speed_of(recipes[take - 1]), abs=0.001)


async def test_takes_that_are_made_elsewhere_are_measured_as_if_they_were_made_here(cook: Cook) -> None:
    kitchen = await cook("motion")
    recipes = Candidates(11, SHA256, 5).first()

    await render(kitchen, recipes[:2], lambda _frames: None, recipes[2:])
    apart = measure(kitchen, recipes[:2], recipes[2:])
    await render(kitchen, recipes, lambda _frames: None)
    together = measure(kitchen, recipes)

    assert set(apart.distances) == {1, 2}
    for take, distance in apart.distances.items():
        other = together.distances[take]
        assert distance["nearest"]["index"] == other["nearest"]["index"]
        assert distance["nearest"]["look"]["ssim"] == pytest.approx(other["nearest"]["look"]["ssim"], abs=0.003)
        assert distance["source"] == other["source"]


async def test_takes_of_nearly_the_same_recipe_are_near(cook: Cook, player: Player) -> None:
    kitchen = await cook("motion")
    small = {"brightness": 0.01, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}
    recipes = [
        recipe(1, colour=small, noise={"strength": 4, "seed": 1}),
        recipe(2, colour={**small, "saturation": 1.01}, noise={"strength": 5, "seed": 2}),
    ]

    files = await make(kitchen, *recipes)

    looks = [player.look(file, kitchen.clip.look_positions, 160, 90) for file in files]
    assert compare(*looks).near
    measured = measure(kitchen, recipes)
    assert (1, 2) in (measured.near or [])
    nearest = measured.distances[1]["nearest"]
    assert (nearest["index"], nearest["near"]) == (2, True)
    assert nearest["look"]["ssim"] > 0.985
    assert nearest["look"]["dyuv"] < 1.5


async def test_a_take_carries_nothing_of_what_its_source_said(cook: Cook, player: Player, clips: Clips) -> None:
    kitchen = await cook("motion")
    words = ["-metadata", "title=Holiday", "-metadata", "location=+48.2+016.3/", "-metadata:s:v", "handler_name=Camera"]
    clips.run("-i", str(clips("motion")), "-c", "copy", *words, "-f", "mp4", str(kitchen.folder / "source"))

    (file,) = await make(kitchen, recipe())

    assert "Holiday" in player.says(kitchen.folder / "source")
    assert not [word for word in ("Holiday", "48.2", "Camera", "creation_time") if word in player.says(file)]
