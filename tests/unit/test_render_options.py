"""What a person may ask of takes: what is read, and the sentence and place of what is refused."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retake.domain.candidates import Candidates
from retake.domain.effects import EFFECTS
from retake.domain.effects.effect import Strength
from retake.domain.options import BadOption, RenderOptions, read_render_options
from retake.domain.presets import PRESETS

RECIPE: dict[str, Any] = json.loads(json.dumps(Candidates(7, "5e" * 32, 2).first()[0]))


def changed(**changes: Any) -> dict[str, Any]:
    return {"recipes": [RECIPE, {**RECIPE, **changes}]}


def with_step(name: str, params: dict[str, Any]) -> dict[str, Any]:
    return changed(effects=[{"name": name, "params": params}])


def test_nothing_asked_is_classic_exactly_its_five_effects_at_medium() -> None:
    options = read_render_options({"name": "spring", "seed": 4})

    assert options == RenderOptions()
    assert (options.preset, options.profile) == ("classic", "fast")
    assert set(options.ranges) == {"zoom", "mirror", "colour", "noise", "speed"}
    assert all(ranges == EFFECTS[name].ranges[Strength.MEDIUM] for name, ranges in options.ranges.items())


def test_presets_are_what_the_page_says() -> None:
    every = {"zoom", "rotate", "mirror", "colour", "sharpness", "vignette", "noise", "trim", "speed", "audio"}

    assert {name: (strength.value, set(names)) for name, (strength, names) in PRESETS.items()} == {
        "classic": ("medium", {"zoom", "mirror", "colour", "noise", "speed"}),
        "subtle": ("subtle", every - {"mirror"}),
        "medium": ("medium", every),
        "strong": ("strong", every),
        "colour-only": ("medium", {"colour"}),
        "geometry-only": ("medium", {"zoom", "rotate", "mirror"}),
    }


def test_effects_are_added_left_out_and_given_other_ranges() -> None:
    effects = {"include": ["border"], "exclude": ["mirror", "noise"], "ranges": {"zoom": {"factor": [1.05, 1.05]}}}

    options = read_render_options({"preset": "classic", "profile": "best", "effects": effects})

    assert list(options.ranges) == ["zoom", "colour", "border", "speed"]
    assert options.ranges["zoom"] == {"factor": (1.05, 1.05), "x": (0, 1), "y": (0, 1)}
    assert options.ranges["border"]["width"] == (0.02, 0.04)
    recipes = Candidates(1, "00" * 32, 3, options).first()
    assert {recipe["effects"][0]["params"]["factor"] for recipe in recipes} == {1.05}
    assert {recipe["output"]["profile"] for recipe in recipes} == {"best"}


def test_recipes_come_back_as_they_were_shown_in_the_order_of_the_table() -> None:
    shuffled = {**RECIPE, "effects": RECIPE["effects"][::-1]}

    options = read_render_options({"recipes": [RECIPE, shuffled]})

    assert options.recipes == [RECIPE, {**RECIPE, "index": 2}]


def test_a_recipe_may_leave_out_what_has_one_meaning_only() -> None:
    (recipe,) = read_render_options({"recipes": [{"effects": [{"name": "mirror"}]}]}).recipes

    assert recipe == {
        "version": 2, "index": 1, "seed": 0, "preset": "own", "effects": [{"name": "mirror", "params": {}}],
        "output": {"profile": "fast"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "where", "sentence"),
    [
        ({"preset": "sepia"}, "options.preset", "must be one of classic, subtle,"),
        ({"preset": 3}, "options.preset", "must be one of"),
        ({"profile": "slow"}, "options.profile", "must be one of fast, balanced, best"),
        ({"effects": []}, "options.effects", "must be an object"),
        ({"effects": {"add": []}}, "options.effects", 'has no "add"; there are include, exclude, ranges'),
        ({"effects": {"include": "border"}}, "options.effects.include", "must be a list"),
        ({"effects": {"include": ["zoom", "sepia"]}}, "options.effects.include[1]", "must be one of zoom, rotate"),
        ({"effects": {"include": ["zoom"], "exclude": ["zoom"]}}, "options.effects.exclude", "has zoom, which is incl"),
        ({"preset": "colour-only", "effects": {"exclude": ["colour"]}}, "options.effects", "leaves no effect at all"),
        ({"effects": {"ranges": {"border": {}}}}, "options.effects.ranges.border", "include it"),
        ({"effects": {"ranges": {"sepia": {}}}}, "options.effects.ranges", 'has no "sepia"'),
        ({"effects": {"ranges": {"zoom": {"z": [1, 1]}}}}, "options.effects.ranges.zoom", "there are factor, x, y"),
        ({"effects": {"ranges": {"mirror": {"on": [1, 1]}}}}, "options.effects.ranges.mirror", "it has none"),
        ({"effects": {"ranges": {"zoom": {"x": 1}}}}, "options.effects.ranges.zoom.x", "a list of two numbers"),
        ({"effects": {"ranges": {"zoom": {"x": [0.6, 0.5]}}}}, "options.effects.ranges.zoom.x", "begins above its end"),
        (
            {"effects": {"ranges": {"zoom": {"factor": [1.1, 1.26]}}}},
            "options.effects.ranges.zoom.factor[1]", "must be a number from 1 to 1.25",
        ),
        (
            {"effects": {"ranges": {"noise": {"strength": [2.5, 4]}}}},
            "options.effects.ranges.noise.strength[0]", "must be a whole number from 0 to 14",
        ),
        ({"recipes": {}}, "options.recipes", "must be a list of at most 20"),
        ({"recipes": []}, "options.recipes", "has no recipe"),
        ({"recipes": [RECIPE] * 21}, "options.recipes", "at most 20"),
        ({"recipes": [RECIPE], "preset": "classic"}, "options.preset", "cannot go with recipes"),
        ({"recipes": [7]}, "options.recipes[0]", "must be an object"),
        ({"recipes": [{}]}, "options.recipes[0].effects", "is missing"),
        (changed(colour=1), "options.recipes[1]", 'has no "colour"'),
        (changed(version=3), "options.recipes[1].version", "a whole number from 1 to 2"),
        (changed(version=True), "options.recipes[1].version", "a whole number"),
        (changed(seed=-1), "options.recipes[1].seed", "a whole number from 0"),
        (changed(preset="sepia"), "options.recipes[1].preset", "must be one of"),
        (changed(output={"codec": "av1"}), "options.recipes[1].output", 'has no "codec"'),
        (changed(output={"profile": "av1"}), "options.recipes[1].output.profile", "must be one of"),
        (changed(effects=[{"name": "mirror"}] * 2), "options.recipes[1].effects", "has mirror twice"),
        (changed(effects=[{"params": {}}]), "options.recipes[1].effects[0].name", "must be one of"),
        (with_step("zoom", {"factor": 1.1, "x": 0}), "options.recipes[1].effects[0].params.y", "is missing"),
        (with_step("zoom", {"factor": 9, "x": 0, "y": 0}), "options.recipes[1].effects[0].params.factor", "1 to 1.25"),
        (with_step("vignette", {"angle": "wide"}), "options.recipes[1].effects[0].params.angle", "must be a number"),
        (with_step("vignette", {"angle": float("nan")}), "options.recipes[1].effects[0].params.angle", "a number"),
        (with_step("vignette", {"angle": float("inf")}), "options.recipes[1].effects[0].params.angle", "a number"),
        (with_step("vignette", {"angle": 10**400}), "options.recipes[1].effects[0].params.angle", "must be a number"),
        (with_step("noise", {"strength": 5, "seed": 1.5}), "options.recipes[1].effects[0].params.seed", "whole number"),
        (with_step("speed", {"factor": 1.005}), "options.recipes[1].effects[0].params", "where nobody would notice"),
        (with_step("mirror", {"on": 1}), "options.recipes[1].effects[0].params", "it has none"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place_and_a_sentence(given: Any, where: str, sentence: str) -> None:
    with pytest.raises(BadOption) as refused:
        read_render_options(given)

    assert refused.value.where == where
    assert sentence in str(refused.value)
    assert str(refused.value).endswith(".")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(list(EFFECTS)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["include", "exclude", "ranges", "effects", "name", "params", "factor"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["preset", "profile", "effects", "recipes"]), JSON))
def test_whatever_is_asked_is_read_or_refused(given: dict[str, Any]) -> None:
    with suppress(BadOption):
        options = read_render_options(given)
        assert Candidates(1, "00" * 32, max(1, len(options.recipes)), options).first()
