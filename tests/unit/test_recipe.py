"""Recipes: the plan of a video's takes, and what each effect makes of its parameters."""

import json
from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retake.domain.draws import Draws
from retake.domain.effects import EFFECTS
from retake.domain.effects.effect import Size, Strength
from retake.domain.recipe import APART, PRESETS, params_of, plan_recipes, speed_of

SHA256 = "5e" * 32
SIZE = Size(1920, 1080)

PINNED: list[dict[str, Any]] = [
    {
        "version": 1,
        "index": 1,
        "seed": 7,
        "preset": "classic",
        "effects": [
            {"name": "zoom", "params": {"factor": 1.054, "x": 0.079, "y": 0.509}},
            {"name": "mirror", "params": {}},
            {"name": "colour", "params": {"brightness": -0.04, "contrast": 1.051, "saturation": 1.048, "hue": 2.0}},
            {"name": "noise", "params": {"strength": 8, "seed": 561126188}},
            {"name": "speed", "params": {"factor": 1.019}},
        ],
        "output": {"profile": "fast"},
    },
    {
        "version": 1,
        "index": 2,
        "seed": 7,
        "preset": "classic",
        "effects": [
            {"name": "zoom", "params": {"factor": 1.111, "x": 0.755, "y": 0.319}},
            {"name": "colour", "params": {"brightness": 0.04, "contrast": 0.985, "saturation": 0.911, "hue": -6.9}},
            {"name": "noise", "params": {"strength": 5, "seed": 1197951326}},
            {"name": "speed", "params": {"factor": 0.984}},
        ],
        "output": {"profile": "fast"},
    },
]

seeds = st.integers(0, 2**63 - 1)
sources = st.binary(min_size=32, max_size=32).map(bytes.hex)
counts = st.integers(1, 20)


def filters(name: str, **params: float) -> list[str]:
    return EFFECTS[name].video(params, SIZE)


def seen(recipe: Mapping[str, Any]) -> dict[str, float]:
    """What can be seen of a recipe, each as a place from 0 to 1 in its range."""
    places = {"mirror": float(params_of(recipe, "mirror") is not None)}
    for name in ("zoom", "colour"):
        ranges, params = EFFECTS[name].ranges[Strength.MEDIUM], params_of(recipe, name)
        assert params is not None
        places |= {key: (params[key] - low) / (high - low) for key, (low, high) in ranges.items()}
    return places


def test_a_plan_is_the_same_for_ever() -> None:
    """Pinned: when this fails, recipes changed and the recipe version has to."""
    recipes = plan_recipes(7, SHA256, 2)

    assert recipes == PINNED


@given(seeds, sources, counts)
def test_a_plan_depends_on_nothing_but_its_arguments(seed: int, sha256: str, takes: int) -> None:
    recipes = plan_recipes(seed, sha256, takes)

    assert recipes == plan_recipes(seed, sha256, takes)
    assert [recipe["index"] for recipe in recipes] == list(range(1, takes + 1))
    assert recipes[0] != plan_recipes(seed + 1, sha256, takes)[0]
    assert recipes[0] != plan_recipes(seed, "0" * 64, takes)[0] or sha256 == "0" * 64
    assert recipes[0] != plan_recipes(seed, sha256, takes + 1)[0]


@given(seeds, sources, counts)
def test_a_recipe_survives_being_stored(seed: int, sha256: str, takes: int) -> None:
    recipes = plan_recipes(seed, sha256, takes)

    assert json.loads(json.dumps(recipes)) == recipes
    assert "-0.0," not in json.dumps(recipes)


@given(seeds, sources, counts)
def test_every_parameter_stays_within_its_bounds(seed: int, sha256: str, takes: int) -> None:
    for recipe in plan_recipes(seed, sha256, takes):
        for step in recipe["effects"]:
            ranges = EFFECTS[step["name"]].ranges[Strength.MEDIUM]
            for name, value in step["params"].items():
                low, high = ranges[name]
                assert low <= value <= high


@given(seeds, sources, counts)
def test_any_two_takes_of_a_plan_look_different(seed: int, sha256: str, takes: int) -> None:
    recipes = plan_recipes(seed, sha256, takes)

    rounding = 0.051  # of brightness, which is kept in hundredths
    for one, other in combinations(map(seen, recipes), 2):
        assert max(abs(one[name] - other[name]) for name in one) > APART - rounding


@given(seeds, sources, counts)
def test_every_other_take_is_mirrored(seed: int, sha256: str, takes: int) -> None:
    mirrored = [params_of(recipe, "mirror") is not None for recipe in plan_recipes(seed, sha256, takes)]

    assert all(one is not next_one for one, next_one in pairwise(mirrored))


@given(seeds, sources, counts)
def test_a_speed_is_never_so_close_to_one_that_nobody_notices(seed: int, sha256: str, takes: int) -> None:
    for recipe in plan_recipes(seed, sha256, takes):
        assert not 0.99 <= speed_of(recipe) <= 1.01


@given(seeds, sources, counts)
def test_no_two_takes_have_the_same_grain(seed: int, sha256: str, takes: int) -> None:
    noises = [params_of(recipe, "noise") for recipe in plan_recipes(seed, sha256, takes)]

    assert len({noise["seed"] for noise in noises if noise}) == takes


@given(seeds, sources, st.integers(5, 20))
def test_the_takes_of_a_plan_fill_the_range_of_the_zoom(seed: int, sha256: str, takes: int) -> None:
    factors = sorted(seen(recipe)["factor"] for recipe in plan_recipes(seed, sha256, takes))

    assert factors[0] < 1.01 / takes + 0.2
    assert factors[-1] > 1 - 1.01 / takes - 0.2


def test_classic_is_exactly_its_five_effects_at_medium() -> None:
    assert PRESETS["classic"] == dict.fromkeys(("zoom", "mirror", "colour", "noise", "speed"), Strength.MEDIUM)


def test_a_preset_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        plan_recipes(1, SHA256, 1, "sepia")


def test_zoom_crops_to_even_sides_anywhere_and_scales_back() -> None:
    assert filters("zoom", factor=1.1, x=0.5, y=1.0) == [
        "crop=1744:980:88:100",
        "zscale=1920:1080:filter=bicubic:param_a=0:param_b=0.6",
    ]


def test_zoom_of_the_smallest_frame_still_leaves_a_frame() -> None:
    assert EFFECTS["zoom"].video({"factor": 1.25, "x": 1.0, "y": 1.0}, Size(2, 2))[0] == "crop=2:2:0:0"


def test_brightness_lands_in_the_middle_of_ffmpegs_step() -> None:
    assert filters("colour", brightness=-0.03, contrast=1.05, saturation=0.9, hue=4.0) == [
        "eq=brightness=-0.028:contrast=1.05:saturation=0.9",
        "hue=h=4",
    ]


def test_a_hue_nobody_sees_costs_no_filter() -> None:
    assert filters("colour", brightness=0.0, contrast=1.0, saturation=1.0, hue=-0.4) == [
        "eq=brightness=0.002:contrast=1:saturation=1"
    ]


def test_noise_names_its_seed() -> None:
    assert filters("noise", strength=5, seed=2147483646) == ["noise=alls=5:allf=t+u:all_seed=2147483646"]


def test_speed_moves_picture_and_sound_alike() -> None:
    assert filters("speed", factor=1.04) == ["setpts=PTS/1.04"]
    assert EFFECTS["speed"].audio({"factor": 1.04}) == ["dcshift=0.004", "atempo=1.04", "dcshift=-0.004"]


def test_a_speed_of_exactly_one_does_nothing() -> None:
    assert filters("speed", factor=1.0) == []
    assert EFFECTS["speed"].audio({"factor": 1.0}) == []


@pytest.mark.parametrize("strength", list(Strength))
@pytest.mark.parametrize("place", [0.0, 0.25, 0.4999, 0.5, 0.75, 0.9999])
def test_speed_keeps_out_of_its_gap_and_within_its_range(strength: Strength, place: float) -> None:
    ranges = EFFECTS["speed"].ranges[strength]

    params = EFFECTS["speed"].sample(ranges, {"factor": place})

    assert params is not None
    assert ranges["factor"][0] <= params["factor"] <= ranges["factor"][1]
    assert not 0.99 <= params["factor"] <= 1.01


def test_mirror_flips_what_is_on_its_side() -> None:
    assert filters("mirror") == ["hflip"]
    assert EFFECTS["mirror"].sample({}, {"on": 0.0}) is None


def test_draws_are_named_and_even() -> None:
    draws = Draws("test")

    numbers = [draws.unit("n", n) for n in range(1000)]

    assert numbers == [Draws("test").unit("n", n) for n in range(1000)]
    assert all(0 <= number < 1 for number in numbers)
    assert 0.45 < sum(numbers) / 1000 < 0.55
    assert sorted(draws.shuffled(20, "order")) == list(range(20))
