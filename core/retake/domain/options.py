"""What a person may ask of takes, read in this one place: the API refuses what cannot be, the worker plans by what can.

    {"preset": "classic", "profile": "fast",
     "effects": {"include": ["border"], "exclude": ["mirror"], "ranges": {"zoom": {"factor": [1.05, 1.1]}}}}
    {"recipes": [a recipe as the manifest or a file shows it, ...]}

Every complaint names where it is in the options.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retake.domain.effects import EFFECTS
from retake.domain.effects.effect import Effect, Range, number
from retake.domain.presets import DEFAULT, PRESETS, Ranges, ranges_of
from retake.domain.recipe import LARGEST_SEED, MOST_TAKES, PROFILES, Recipe, Step
from retake.domain.work import RECIPE_VERSION

RENDER_OPTIONS = ("preset", "profile", "effects", "recipes")
OWN = "own"
"""The preset of recipes that somebody wrote."""


class BadOption(Exception):
    """`where` is the path of the wrong field, the message a sentence, `allowed` what could stand there."""

    def __init__(self, where: str, what: str, allowed: Sequence[str] = ()) -> None:
        super().__init__(f"The option `{where.removeprefix('options.')}` {what}.")
        self.where, self.allowed = where, list(allowed)


@dataclass(frozen=True)
class RenderOptions:
    preset: str = DEFAULT
    profile: str = PROFILES[0]
    ranges: Ranges = field(default_factory=lambda: ranges_of(DEFAULT))
    recipes: Sequence[Recipe] = ()


def read_render_options(given: Mapping[str, Any]) -> RenderOptions:
    """Of all options those that say what takes look like; what is null is left out."""
    asked = {name: given[name] for name in RENDER_OPTIONS if given.get(name) is not None}
    if "recipes" in asked:
        if other := next((name for name in asked if name != "recipes"), None):
            raise BadOption(f"options.{other}", "cannot go with recipes, which say everything themselves")
        return RenderOptions(preset=OWN, recipes=_recipes(asked["recipes"]), ranges={})
    preset = _one_of("options.preset", asked.get("preset", DEFAULT), PRESETS)
    profile = _one_of("options.profile", asked.get("profile", PROFILES[0]), PROFILES)
    return RenderOptions(preset, profile, _effects(preset, asked.get("effects", {})))


def _effects(preset: str, given: Any) -> Ranges:
    where = "options.effects"
    asked = _object(where, given, ("include", "exclude", "ranges"))
    include, exclude = (
        frozenset(
            _one_of(f"{where}.{key}[{n}]", name, EFFECTS)
            for n, name in enumerate(_list(f"{where}.{key}", asked.get(key) or [], len(EFFECTS)))
        )
        for key in ("include", "exclude")
    )
    if both := sorted(include & exclude):
        raise BadOption(f"{where}.exclude", f"has {both[0]}, which is included")
    chosen = ranges_of(preset, include, exclude)
    if not chosen:
        raise BadOption(where, "leaves no effect at all")
    own = _object(f"{where}.ranges", asked.get("ranges") or {}, EFFECTS)
    if unused := next((name for name in own if name not in chosen), None):
        raise BadOption(f"{where}.ranges.{unused}", f"is of an effect that {preset} does not have; include it")
    read = {name: _ranges(f"{where}.ranges.{name}", EFFECTS[name], ranges) for name, ranges in own.items()}
    return ranges_of(preset, include, exclude, read)


def _ranges(where: str, effect: Effect, given: Any) -> dict[str, Range]:
    ranges = {}
    for name, pair in _object(where, given, effect.bounds).items():
        here = f"{where}.{name}"
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadOption(here, "must be a list of two numbers, the least and the most")
        low, high = (_number(f"{here}[{n}]", value, effect, name) for n, value in enumerate(pair))
        if low > high:
            raise BadOption(here, "begins above its end")
        ranges[name] = (low, high)
    return ranges


def _recipes(given: Any) -> list[Recipe]:
    recipes = _list("options.recipes", given, MOST_TAKES)
    if not recipes:
        raise BadOption("options.recipes", "has no recipe")
    return [_recipe(f"options.recipes[{n}]", n + 1, recipe) for n, recipe in enumerate(recipes)]


def _recipe(where: str, index: int, given: Any) -> Recipe:
    """What a recipe may leave out has one meaning only."""
    recipe = _object(where, given, Recipe.__annotations__)
    if "effects" not in recipe:
        raise BadOption(f"{where}.effects", "is missing")
    _whole(f"{where}.index", recipe.get("index", index), 1, LARGEST_SEED)
    steps = _list(f"{where}.effects", recipe["effects"], len(EFFECTS))
    read = [_step(f"{where}.effects[{n}]", step) for n, step in enumerate(steps)]
    names = [step["name"] for step in read]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise BadOption(f"{where}.effects", f"has {twice} twice")
    output = _object(f"{where}.output", recipe.get("output", {}), ("profile",))
    return Recipe(
        version=_whole(f"{where}.version", recipe.get("version", RECIPE_VERSION), 1, RECIPE_VERSION),
        index=index,
        seed=_whole(f"{where}.seed", recipe.get("seed", 0), 0, LARGEST_SEED),
        preset=_one_of(f"{where}.preset", recipe.get("preset", OWN), [*PRESETS, OWN]),
        effects=sorted(read, key=lambda step: list(EFFECTS).index(step["name"])),
        output={"profile": _one_of(f"{where}.output.profile", output.get("profile", PROFILES[0]), PROFILES)},
    )


def _step(where: str, given: Any) -> Step:
    step = _object(where, given, ("name", "params"))
    effect = EFFECTS[_one_of(f"{where}.name", step.get("name"), EFFECTS)]
    params = _object(f"{where}.params", step.get("params", {}), effect.bounds)
    if missing := next((name for name in effect.bounds if name not in params), None):
        raise BadOption(f"{where}.params.{missing}", "is missing")
    read = {name: _number(f"{where}.params.{name}", params[name], effect, name) for name in effect.bounds}
    if complaint := effect.complaint(read):
        raise BadOption(f"{where}.params", complaint)
    return Step(name=effect.name, params=read)


def _number(where: str, given: Any, effect: Effect, name: str) -> float:
    low, high = effect.bounds[name]
    whole = name in effect.whole
    wanted = f"must be a {'whole ' if whole else ''}number from {number(low)} to {number(high)}"
    if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
        raise BadOption(where, wanted)
    if whole and given != int(given):
        raise BadOption(where, wanted)
    return int(given) if whole else given


def _whole(where: str, given: Any, low: int, high: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
        raise BadOption(where, f"must be a whole number from {low} to {high}")
    return given


def _one_of(where: str, given: Any, allowed: Mapping[str, Any] | Sequence[str]) -> str:
    if not isinstance(given, str) or given not in allowed:
        raise BadOption(where, f"must be one of {', '.join(allowed)}", list(allowed))
    return given


def _list(where: str, given: Any, most: int) -> list[Any]:
    if not isinstance(given, list) or len(given) > most:
        raise BadOption(where, f"must be a list of at most {most}")
    return given


def _object(where: str, given: Any, allowed: Mapping[str, Any] | Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise BadOption(where, "must be an object")
    if unknown := [key for key in given if key not in allowed]:
        there = f"there are {', '.join(allowed)}" if allowed else "it has none"
        raise BadOption(where, f"has no {json.dumps(unknown[0][:100])}; {there}", list(allowed))
    return given
