"""The explorer itself, on worlds of a few numbers."""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from model.explore import Kind, Step, explore

WORK, PERSON, FAULT = Kind.WORK, Kind.PERSON, Kind.FAULT


class Numbers:
    """A graph by hand: it starts at 0 and rests at 9, and 13 must not be."""

    start = 0

    def __init__(self, roads: Mapping[int, Sequence[tuple[int, Kind]]]) -> None:
        self._roads = roads

    def steps(self, now: int) -> Iterator[Step[int]]:
        for there, kind in self._roads.get(now, ()):
            yield Step(f"to {there}", there, kind)

    def broken(self, before: int, step: Step[int]) -> str | None:
        return "no thirteen" if step.after == 13 else None

    def at_rest(self, now: int) -> bool:
        return now == 9

    def unkept(self, now: int) -> str:
        return "all come to rest"

    def picture(self, now: int) -> str:
        return str(now)


def test_the_shortest_story_to_a_broken_law_is_told() -> None:
    world = Numbers({0: [(1, WORK), (2, FAULT)], 1: [(3, WORK)], 3: [(13, WORK)], 2: [(13, WORK)]})

    violation = explore(world).violation

    assert str(violation) == "no thirteen\n  1. to 2\n  2. to 13\n  => 13"


def test_a_world_from_which_work_always_leads_to_rest_is_live_even_if_it_may_go_in_circles() -> None:
    world = Numbers({0: [(1, WORK)], 1: [(0, WORK), (9, WORK)]})

    verdict = explore(world)

    assert verdict.violation is None
    assert str(verdict) == "safe and live: 3 states, 3 steps"


@pytest.mark.parametrize("kind", [PERSON, FAULT])
def test_rest_that_needs_a_person_or_a_fault_is_not_liveness(kind: Kind) -> None:
    world = Numbers({0: [(1, WORK), (9, WORK)], 1: [(9, kind)]})

    violation = explore(world).violation

    assert violation is not None
    assert (violation.law, violation.story) == ("all come to rest", ("to 1",))


def test_a_circle_without_a_way_out_is_not_rest() -> None:
    world = Numbers({0: [(1, WORK), (9, WORK)], 1: [(2, WORK)], 2: [(1, WORK)]})

    violation = explore(world).violation

    assert violation is not None
    assert violation.end == "no work leads from here to rest: 1"


def test_a_world_that_does_not_end_is_refused() -> None:
    world = Numbers({number: [(number + 1, WORK)] for number in range(20, 40)} | {0: [(20, WORK)]})

    with pytest.raises(ValueError, match="more than 10 states"):
        explore(world, most=10)
