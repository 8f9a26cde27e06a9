"""Candidates: recipes that the takes of a video may get, pure in the seed, the source's SHA-256, the number of takes,
and what was asked for, on any machine.

They spread like a Latin hypercube: each parameter's range is cut into as many strata as there are takes, and each take
has one of them to itself. Where two takes still fall close together in all that one can see, one is drawn again. How
different the takes of one very video will look, only its pictures tell; whoever measures them may ask for another
candidate in the place of one that will not do.
"""

from collections.abc import Sequence
from typing import NamedTuple

from retake.domain.draws import Draws
from retake.domain.effects import EFFECTS
from retake.domain.options import RenderOptions
from retake.domain.recipe import Recipe, Step
from retake.domain.work import RECIPE_VERSION

APART = 0.15
"""The least distance of two takes: the greatest of their differences, each as a share of its range."""

_REDRAWS = 100


class Axis(NamedTuple):
    """One parameter of one effect. Where it is `fixed`, it makes no difference."""

    effect: str
    parameter: str
    fixed: bool

    @property
    def seen(self) -> bool:
        return not self.fixed and self.parameter in EFFECTS[self.effect].seen

    @property
    def alternates(self) -> bool:
        return EFFECTS[self.effect].alternates

    @property
    def names(self) -> tuple[str, str]:
        """What its numbers are drawn for."""
        return self.effect, self.parameter


Point = dict[Axis, float]
"""A place from 0 to 1 on every axis."""


class Candidates:
    def __init__(self, seed: int, sha256: str, takes: int, options: RenderOptions | None = None) -> None:
        self._options = options or RenderOptions()
        self._seed, self._takes = seed, takes
        self._draws = Draws("retake recipe", seed, sha256, takes)
        self._axes = [
            Axis(name, parameter, low == high)
            for name, ranges in self._options.ranges.items()
            for parameter, (low, high) in ranges.items()
        ]

    @property
    def given(self) -> bool:
        """A person gave the recipes: there are no others."""
        return bool(self._options.recipes)

    def first(self) -> list[Recipe]:
        """One for each take, with indices from 1."""
        if self.given:
            return [Recipe(**{**recipe, "index": n}) for n, recipe in enumerate(self._options.recipes, start=1)]
        points: list[Point] = []
        for candidate in self._hypercube():
            points.append(self._apart(candidate, points))
        return [self._recipe(index, point) for index, point in enumerate(points, start=1)]

    def another(self, index: int, turn: int) -> Recipe:
        """In the place of a take's candidate; turns count from 0."""
        return self._recipe(index, self._drawn(index - 1, "another", turn))

    def _recipe(self, index: int, point: Point) -> Recipe:
        steps: list[Step] = []
        for name, ranges in self._options.ranges.items():
            at = {axis.parameter: place for axis, place in point.items() if axis.effect == name}
            params = EFFECTS[name].sample(ranges, at)
            if params is not None:
                steps.append(Step(name=name, params=params))
        return Recipe(
            version=RECIPE_VERSION,
            index=index,
            seed=self._seed,
            preset=self._options.preset,
            effects=steps,
            output={"profile": self._options.profile},
        )

    def _hypercube(self) -> list[Point]:
        points: list[Point] = [{} for _ in range(self._takes)]
        for axis in self._axes:
            strata = self._draws.shuffled(self._takes, *axis.names, "order")
            for take, point in enumerate(points):
                if axis.alternates:
                    point[axis] = self._turn(axis, take)
                else:
                    point[axis] = (strata[take] + self._draws.unit(*axis.names, "place", take)) / self._takes
        return points

    def _turn(self, axis: Axis, take: int) -> float:
        return float((take + self._draws.whole(2, *axis.names, "first")) % 2)

    def _drawn(self, take: int, why: str, turn: int) -> Point:
        return {
            axis: self._turn(axis, take) if axis.alternates else self._draws.unit(*axis.names, why, take, turn)
            for axis in self._axes
        }

    def _apart(self, candidate: Point, accepted: Sequence[Point]) -> Point:
        """The candidate, or the first draw in its place that keeps its distance, or the best of those that do not."""
        best, farthest = candidate, _nearest(candidate, accepted)
        for redraw in range(_REDRAWS):
            if farthest >= APART:
                break
            drawn = self._drawn(len(accepted), "again", redraw)
            if (distance := _nearest(drawn, accepted)) > farthest:
                best, farthest = drawn, distance
        return best


def _nearest(point: Point, others: Sequence[Point]) -> float:
    return min((_distance(point, other) for other in others), default=1.0)


def _distance(one: Point, other: Point) -> float:
    """What cannot be seen does not count; where nothing can be, no draw is better than another."""
    return max((abs(place - other[axis]) for axis, place in one.items() if axis.seen), default=1.0)
