"""The recipes of a video's takes, chosen by what they will look like.

Every candidate's effects are put on a few small frames of the source, and every pair is compared, with the source too.
While two would be near, or within a margin of it for what prediction and encoder get wrong, a take out of a crowd
tries another candidate. Not every video can be kept apart: of a black one all takes look alike. Then the search ends
after a while, and what was not reached is told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from retake.domain.candidates import Candidates
from retake.domain.distinct import Pair, told
from retake.domain.effects.effect import Size
from retake.domain.recipe import Recipe
from retake_worker.distance import NEAR_DYUV, NEAR_SSIM, Frames, Planes, dyuv, ssim
from retake_worker.prediction import as_it_is, predict

_CLOSE_SSIM, _CLOSE_DYUV = NEAR_SSIM - 0.02, NEAR_DYUV + 0.5
_MOST_TURNS = 120
_VAIN_TURNS = 40
"""So many candidates in a row that were no better: the next ones will not be either."""


def choose(
    candidates: Candidates, samples: Planes, size: Size, look: Size
) -> tuple[Sequence[Recipe], Mapping[str, Any]]:
    """The recipes, and how far they keep apart (distinct.py). A person's own recipes stay what they are."""
    choice = Choice(candidates.first(), samples, size, look)
    if not candidates.given:
        choice.improve(candidates)
    return choice.recipes, told(choice.near(), len(choice.recipes), measured=False)


class Choice:
    """The takes as they stand; take n is `recipes[n - 1]`, and 0 is the source."""

    def __init__(self, recipes: list[Recipe], samples: Planes, size: Size, look: Size) -> None:
        self.recipes = recipes
        self._samples, self._size, self._look = samples, size, look
        self._looks = {0: as_it_is(samples, look), **{recipe["index"]: self._predict(recipe) for recipe in recipes}}
        self._close: dict[Pair, float] = {}  # how much each pair lacks
        for recipe in recipes:
            self._close |= self._closeness(recipe["index"], self._looks[recipe["index"]])

    def near(self) -> list[Pair]:
        """What would be near, were it rendered just as it is predicted."""
        return [
            pair for pair in self._close if dyuv(*self._both(pair)) < NEAR_DYUV and ssim(*self._both(pair)) > NEAR_SSIM
        ]

    def improve(self, candidates: Candidates) -> None:
        """Turn by turn: a candidate that is less close to its neighbours takes the place of one in a crowd."""
        turns: Counter[int] = Counter()
        vain = 0
        while self._close and turns.total() < _MOST_TURNS and vain < _VAIN_TURNS:
            crowd = Counter({take: self._lack(take) for pair in self._close for take in pair if take})
            take = min(crowd, key=lambda one: (turns[one] - crowd[one], one))
            recipe = candidates.another(take, turns[take])
            turns[take] += 1
            look = self._predict(recipe)
            close = self._closeness(take, look)
            vain += 1
            if sum(close.values()) < self._lack(take):
                self.recipes[take - 1], self._looks[take] = recipe, look
                self._close = {pair: lack for pair, lack in self._close.items() if take not in pair} | close
                vain = 0

    def _predict(self, recipe: Recipe) -> Frames:
        return predict(self._samples, recipe, self._size, self._look)

    def _lack(self, take: int) -> float:
        return sum(lack for pair, lack in self._close.items() if take in pair)

    def _closeness(self, take: int, look: Frames) -> dict[Pair, float]:
        """What a take lacks to each of its close neighbours. Few are close in their colours, so that structure, which
        is far dearer to compare, seldom has to be."""
        close = {}
        for other, there in self._looks.items():
            if other != take and (apart := dyuv(look, there)) < _CLOSE_DYUV and ssim(look, there) > _CLOSE_SSIM:
                close[min(take, other), max(take, other)] = _CLOSE_DYUV - apart + (apart < NEAR_DYUV)
        return close

    def _both(self, pair: Pair) -> tuple[Frames, Frames]:
        return self._looks[pair[0]], self._looks[pair[1]]
