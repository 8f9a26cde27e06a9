"""Candidates: the recipes that the takes of a video may get."""

import json
from collections.abc import Mapping
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retake.domain.candidates import APART, Candidates
from retake.domain.draws import Draws
from retake.domain.effects import EFFECTS
from retake.domain.effects.effect import Strength
from retake.domain.options import read_render_options
from retake.domain.presets import PRESETS
from retake.domain.recipe import params_of, speed_of

SHA256 = "5e" * 32

PINNED: list[dict[str, Any]] = [
    {
        "version": 2,
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
        "version": 2,
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

ANOTHER: dict[str, Any] = {
    **PINNED[1],
    "effects": [
        {"name": "zoom", "params": {"factor": 1.076, "x": 0.972, "y": 0.479}},
        {"name": "colour", "params": {"brightness": -0.01, "contrast": 1.047, "saturation": 1.075, "hue": -3.9}},
        {"name": "noise", "params": {"strength": 7, "seed": 854943925}},
        {"name": "speed", "params": {"factor": 1.028}},
    ],
}

EVERYTHING: list[dict[str, Any]] = [
    {"name": "zoom", "params": {"factor": 1.155, "x": 0.452, "y": 0.311}},
    {"name": "rotate", "params": {"degrees": -1.73}},
    {"name": "mirror", "params": {}},
    {"name": "colour", "params": {"brightness": -0.03, "contrast": 1.113, "saturation": 1.085, "hue": -2.5}},
    {"name": "sharpness", "params": {"amount": -0.12}},
    {"name": "vignette", "params": {"angle": 0.602}},
    {"name": "noise", "params": {"strength": 13, "seed": 51167735}},
    {"name": "border", "params": {"width": 0.051, "red": 0, "green": 0, "blue": 0}},
    {"name": "trim", "params": {"head": 0.284, "tail": 0.013}},
    {"name": "speed", "params": {"factor": 1.05}},
    {"name": "audio", "params": {"gain": -2.8, "tilt": -2.2}},
]

seeds = st.integers(0, 2**63 - 1)
sources = st.binary(min_size=32, max_size=32).map(bytes.hex)
counts = st.integers(1, 20)


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
    recipes = Candidates(7, SHA256, 2).first()

    assert recipes == PINNED
    assert Candidates(7, SHA256, 2).another(2, 0) == ANOTHER


def test_a_plan_with_every_effect_is_the_same_for_ever() -> None:
    everything = read_render_options({"preset": "strong", "profile": "best", "effects": {"include": ["border"]}})

    (recipe,) = Candidates(7, SHA256, 1, everything).first()

    assert recipe["effects"] == EVERYTHING
    assert (recipe["preset"], recipe["output"]) == ("strong", {"profile": "best"})


@given(seeds, sources, counts)
def test_a_plan_depends_on_nothing_but_its_arguments(seed: int, sha256: str, takes: int) -> None:
    recipes = Candidates(seed, sha256, takes).first()

    assert recipes == Candidates(seed, sha256, takes).first()
    assert [recipe["index"] for recipe in recipes] == list(range(1, takes + 1))
    assert recipes[0] != Candidates(seed + 1, sha256, takes).first()[0]
    assert recipes[0] != Candidates(seed, "0" * 64, takes).first()[0] or sha256 == "0" * 64
    assert recipes[0] != Candidates(seed, sha256, takes + 1).first()[0]


@given(seeds, sources, counts)
def test_a_recipe_survives_being_stored(seed: int, sha256: str, takes: int) -> None:
    recipes = Candidates(seed, sha256, takes).first()

    assert json.loads(json.dumps(recipes)) == recipes
    assert "-0.0," not in json.dumps(recipes)


@given(seeds, sources, counts)
def test_every_parameter_stays_within_its_bounds(seed: int, sha256: str, takes: int) -> None:
    for recipe in Candidates(seed, sha256, takes).first():
        for step in recipe["effects"]:
            ranges = EFFECTS[step["name"]].ranges[Strength.MEDIUM]
            for name, value in step["params"].items():
                low, high = ranges[name]
                assert low <= value <= high


@given(seeds, sources, counts)
def test_any_two_takes_of_a_plan_look_different(seed: int, sha256: str, takes: int) -> None:
    recipes = Candidates(seed, sha256, takes).first()

    rounding = 0.051  # of brightness, which is kept in hundredths
    for one, other in combinations(map(seen, recipes), 2):
        assert max(abs(one[name] - other[name]) for name in one) > APART - rounding


@given(seeds, sources, counts)
def test_every_other_take_is_mirrored(seed: int, sha256: str, takes: int) -> None:
    mirrored = [params_of(recipe, "mirror") is not None for recipe in Candidates(seed, sha256, takes).first()]

    assert all(one is not next_one for one, next_one in pairwise(mirrored))


@given(seeds, sources, counts)
def test_a_speed_is_never_so_close_to_one_that_nobody_notices(seed: int, sha256: str, takes: int) -> None:
    for recipe in Candidates(seed, sha256, takes).first():
        assert not 0.99 <= speed_of(recipe) <= 1.01


@given(seeds, sources, counts)
def test_no_two_takes_have_the_same_grain(seed: int, sha256: str, takes: int) -> None:
    noises = [params_of(recipe, "noise") for recipe in Candidates(seed, sha256, takes).first()]

    assert len({noise["seed"] for noise in noises if noise}) == takes


@given(seeds, sources, st.integers(5, 20))
def test_the_takes_of_a_plan_fill_the_range_of_the_zoom(seed: int, sha256: str, takes: int) -> None:
    factors = sorted(seen(recipe)["factor"] for recipe in Candidates(seed, sha256, takes).first())

    assert factors[0] < 1.01 / takes + 0.2
    assert factors[-1] > 1 - 1.01 / takes - 0.2


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("takes", [1, 20])
def test_every_preset_stays_within_its_bounds_and_ranges(preset: str, takes: int) -> None:
    options = read_render_options({"preset": preset, "effects": {"include": ["border"]}})
    candidates = Candidates(3, SHA256, takes, options)

    for recipe in [*candidates.first(), *(candidates.another(1, turn) for turn in range(10))]:
        for step in recipe["effects"]:
            effect = EFFECTS[step["name"]]
            assert set(step["params"]) == set(effect.bounds)
            for name, value in step["params"].items():
                low, high = effect.bounds[name]
                assert low <= value <= high
                least, most = options.ranges[step["name"]][name]
                assert least - 0.006 <= value <= most + 0.006
            assert effect.complaint(step["params"]) is None


def test_takes_keep_their_side_of_the_mirror_when_another_candidate_comes() -> None:
    candidates = Candidates(3, SHA256, 4)

    for recipe in candidates.first():
        others = [candidates.another(recipe["index"], turn) for turn in range(5)]
        assert {params_of(one, "mirror") is None for one in [recipe, *others]} == {params_of(recipe, "mirror") is None}
        assert len({str(one["effects"]) for one in [recipe, *others]}) == 6


def test_recipes_that_were_given_are_the_candidates_with_indices_from_one() -> None:
    mine = Candidates(3, SHA256, 5).first()[2:4]

    given = Candidates(9, "0" * 64, 2, read_render_options({"recipes": mine}))

    assert given.given
    assert given.first() == [{**recipe, "index": n} for n, recipe in enumerate(mine, start=1)]


def test_effects_that_nobody_sees_do_not_hinder_a_plan() -> None:
    unseen = read_render_options({"preset": "colour-only", "effects": {"include": ["noise"], "exclude": ["colour"]}})

    assert len(Candidates(3, SHA256, 20, unseen).first()) == 20


def test_draws_are_named_and_even() -> None:
    draws = Draws("test")

    numbers = [draws.unit("n", n) for n in range(1000)]

    assert numbers == [Draws("test").unit("n", n) for n in range(1000)]
    assert all(0 <= number < 1 for number in numbers)
    assert 0.45 < sum(numbers) / 1000 < 0.55
    assert sorted(draws.shuffled(20, "order")) == list(range(20))
