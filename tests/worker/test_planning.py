"""Planning by what takes will look like, on pictures made for it; real videos are in test_takes_differ.py."""

import numpy as np

from retake.domain.candidates import Candidates
from retake.domain.effects.effect import Size
from retake.domain.options import read_render_options
from retake.domain.recipe import Recipe
from retake_worker.distance import Planes
from retake_worker.planning import Choice, choose

SIZE, LOOK = Size(640, 360), Size(160, 90)
CANDIDATES = Candidates(5, "cd" * 32, 6)


def samples() -> Planes:
    coarse = np.random.default_rng(1).uniform(30, 220, (6, 3, 18, 32))
    return coarse.repeat(10, axis=2).repeat(10, axis=3).astype(np.float32)


def alike() -> list[Recipe]:
    """Six times the same take."""
    return [Recipe(**{**CANDIDATES.first()[0], "index": index}) for index in range(1, 7)]


def test_takes_that_are_alike_get_other_candidates_until_they_differ() -> None:
    choice = Choice(alike(), samples(), SIZE, LOOK)
    assert len(choice.near()) == 15

    choice.improve(CANDIDATES)

    assert choice.near() == []
    assert [recipe["index"] for recipe in choice.recipes] == [1, 2, 3, 4, 5, 6]
    assert choice.near() == Choice(list(choice.recipes), samples(), SIZE, LOOK).near()


def test_recipes_of_a_person_stay_what_they_are_and_it_is_told_that_they_are_alike() -> None:
    given = Candidates(5, "cd" * 32, 6, read_render_options({"recipes": alike()}))

    recipes, told = choose(given, samples(), SIZE, LOOK)

    assert [recipe["effects"] for recipe in recipes] == [recipe["effects"] for recipe in alike()]
    assert len(told["pairs"]) == 15


def test_where_nothing_is_near_the_candidates_are_taken_as_they_come() -> None:
    recipes, told = choose(CANDIDATES, samples(), SIZE, LOOK)

    assert recipes == CANDIDATES.first()
    assert told == {"pairs": [], "takes": 6, "measured": False}
