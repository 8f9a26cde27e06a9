"""The recipes of a video's takes, chosen by what they will look like.

Every candidate's effects are put on a few small frames of the source, and every pair is compared, with the source too.
While two would be near, or nearer than a margin allows for what prediction and encoder get wrong, the take with most
such neighbours gets the best of a few other candidates. Not every video can be kept apart: of a black one all takes look
alike. Then the search ends after a while, and what was not reached is told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from retake.domain.candidates import Candidates
from retake.domain.distinct import Pair, told
from retake.domain.effects.effect import Size
from retake.domain.recipe import Recipe
from retake_worker.distance import NEAR_DYUV, NEAR_SSIM, Difference, Frames, Planes, compare, differences, near_pairs
from retake_worker.prediction import as_it_is, predict

_MARGIN_SSIM, _MARGIN_DYUV = 0.02, 0.5
_MOST_TURNS = 120
_VAIN_TURNS = 30
"""So many candidates in a row that were no better: the rest of them will not be either."""


def choose(
    candidates: Candidates, samples: Planes, size: Size, look: Size
) -> tuple[Sequence[Recipe], Mapping[str, Any]]:
    """The recipes, and how far they keep apart (distinct.py). A person's own recipes stay what they are."""
    recipes = candidates.first()
    choice = Choice(recipes, samples, size, look)
    if not candidates.given:
        choice.improve(candidates)
    near = near_pairs(choice.pairs)
    return choice.recipes, told(near, len(recipes), measured=False)


class Choice:
    """The takes as they stand; take n is `recipes[n - 1]`, and 0 is the source."""

    def __init__(self, recipes: list[Recipe], samples: Planes, size: Size, look: Size) -> None:
        self.recipes = recipes
        self._samples, self._size, self._look = samples, size, look
        self._looks = {0: as_it_is(samples, look), **{recipe["index"]: self._predict(recipe) for recipe in recipes}}
        self.pairs: dict[Pair, Difference] = differences(self._looks)

    def improve(self, candidates: Candidates) -> None:
        """Turn by turn: a candidate that has fewer neighbours takes the place of the take that has most."""
        turns: Counter[int] = Counter()
        vain = 0
        while turns.total() < _MOST_TURNS and vain < _VAIN_TURNS:
            crowd = Counter(take for pair, one in self.pairs.items() if _close(one) for take in pair if take)
            if not crowd:
                break
            take = min(crowd, key=lambda one: (-crowd[one] + turns[one] / 4, one))
            recipe = candidates.another(take, turns[take])
            turns[take] += 1
            look = self._predict(recipe)
            pairs = self._pairs_of(take, look)
            before = {pair: self.pairs[pair] for pair in pairs}
            if better := _crowding(pairs) < _crowding(before):
                self.recipes[take - 1], self._looks[take] = recipe, look
                self.pairs |= pairs
            vain = 0 if better else vain + 1

    def _predict(self, recipe: Recipe) -> Frames:
        return predict(self._samples, recipe, self._size, self._look)

    def _pairs_of(self, take: int, look: Frames) -> dict[Pair, Difference]:
        return {
            (min(take, other), max(take, other)): compare(look, there)
            for other, there in self._looks.items()
            if other != take
        }


def _close(one: Difference) -> bool:
    return one.nearer_than(NEAR_SSIM - _MARGIN_SSIM, NEAR_DYUV + _MARGIN_DYUV)


def _crowding(pairs: Mapping[Pair, Difference]) -> tuple[int, int]:
    """Near ones weigh more than those within the margin."""
    return sum(one.near for one in pairs.values()), sum(map(_close, pairs.values()))
