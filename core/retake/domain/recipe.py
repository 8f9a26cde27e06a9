"""Recipes: plain data that says all of how a take is made, and the plan that gives each take of a video its own.

    {"version": 1, "index": 3, "seed": 7, "preset": "classic",
     "effects": [{"name": "zoom", "params": {"factor": 1.07, "x": 0.31, "y": 0.84}}, ...],
     "output": {"profile": "fast"}}

The plan is pure in the seed, the source's SHA-256 and the number of takes, on any machine and in any release. It
spreads the takes like a Latin hypercube: each parameter's range is cut into as many strata as there are takes, and each
take has one of them to itself. Where two takes still fall close together in all that one can see, one is drawn again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

from retake.domain.draws import Draws
from retake.domain.effects import EFFECTS
from retake.domain.effects.effect import Params, Strength
from retake.domain.work import RECIPE_VERSION

PRESETS: Mapping[str, Mapping[str, Strength]] = {
    "classic": dict.fromkeys(("zoom", "mirror", "colour", "noise", "speed"), Strength.MEDIUM),
}

APART = 0.15
"""The least distance of two takes: the greatest of their differences, each as a share of its range."""

_REDRAWS = 100


class Step(TypedDict):
    name: str
    params: Params


class Recipe(TypedDict):
    version: int
    index: int
    seed: int
    preset: str
    effects: list[Step]
    output: dict[str, Any]


class Axis(NamedTuple):
    """One parameter of one effect."""

    effect: str
    parameter: str

    @property
    def seen(self) -> bool:
        return self.parameter in EFFECTS[self.effect].seen

    @property
    def alternates(self) -> bool:
        return EFFECTS[self.effect].alternates


Point = dict[Axis, float]
"""A place from 0 to 1 on every axis."""


def plan_recipes(seed: int, sha256: str, takes: int, preset: str = "classic", profile: str = "fast") -> list[Recipe]:
    """The recipes of a video's takes, with indices from 1."""
    strengths = PRESETS[preset]
    axes = [
        Axis(name, parameter) for name, strength in strengths.items() for parameter in EFFECTS[name].ranges[strength]
    ]
    points = _spread(axes, takes, Draws("retake recipe", seed, sha256, takes))
    return [
        Recipe(
            version=RECIPE_VERSION,
            index=index,
            seed=seed,
            preset=preset,
            effects=_steps(strengths, point),
            output={"profile": profile},
        )
        for index, point in enumerate(points, start=1)
    ]


def params_of(recipe: Mapping[str, Any], effect: str) -> Mapping[str, float] | None:
    """Of an effect that the recipe has."""
    return next((step["params"] for step in recipe["effects"] if step["name"] == effect), None)


def speed_of(recipe: Mapping[str, Any]) -> float:
    """How many times as fast as its source a take is."""
    return (params_of(recipe, "speed") or {}).get("factor", 1.0)


def _steps(strengths: Mapping[str, Strength], point: Point) -> list[Step]:
    steps: list[Step] = []
    for name, strength in strengths.items():
        at = {axis.parameter: place for axis, place in point.items() if axis.effect == name}
        params = EFFECTS[name].sample(EFFECTS[name].ranges[strength], at)
        if params is not None:
            steps.append(Step(name=name, params=params))
    return steps


def _spread(axes: Sequence[Axis], takes: int, draws: Draws) -> list[Point]:
    points: list[Point] = []
    for candidate in _hypercube(axes, takes, draws):
        points.append(_apart(candidate, points, len(points), draws))
    return points


def _hypercube(axes: Sequence[Axis], takes: int, draws: Draws) -> list[Point]:
    points: list[Point] = [{} for _ in range(takes)]
    for axis in axes:
        strata = draws.shuffled(takes, *axis, "order")
        first = draws.whole(2, *axis, "first")
        for take, point in enumerate(points):
            if axis.alternates:
                point[axis] = float((take + first) % 2)
            else:
                point[axis] = (strata[take] + draws.unit(*axis, "place", take)) / takes
    return points


def _apart(candidate: Point, accepted: Sequence[Point], take: int, draws: Draws) -> Point:
    """The candidate, or the first draw in its place that keeps its distance, or the best of those that do not."""
    best, farthest = candidate, _nearest(candidate, accepted)
    for redraw in range(_REDRAWS):
        if farthest >= APART:
            break
        drawn = {
            axis: place if axis.alternates else draws.unit(*axis, "again", take, redraw)
            for axis, place in candidate.items()
        }
        if (distance := _nearest(drawn, accepted)) > farthest:
            best, farthest = drawn, distance
    return best


def _nearest(point: Point, others: Sequence[Point]) -> float:
    return min((_distance(point, other) for other in others), default=1.0)


def _distance(one: Point, other: Point) -> float:
    """What cannot be seen does not count."""
    return max(abs(place - other[axis]) for axis, place in one.items() if axis.seen)
