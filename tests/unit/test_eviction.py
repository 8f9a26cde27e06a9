from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from retake.domain.eviction import Ended, Share, in_turn, making_room

A, B, C = (UUID(int=n) for n in (1, 2, 3))


def jobs(*of: tuple[UUID, int]) -> list[Ended]:
    """In the order in which they ended: their workspace, their bytes."""
    return [Ended(UUID(int=100 + number), workspace, size) for number, (workspace, size) in enumerate(of)]


def places(chosen: list[Ended]) -> list[int]:
    return [one.job.int - 100 for one in chosen]


def test_one_workspace_gives_up_what_ended_first() -> None:
    ended = jobs((A, 10), (A, 10), (A, 10))

    assert places(making_room(ended, {A: Share(1, 30)}, 15)) == [0, 1]


def test_nothing_goes_when_nothing_is_missing() -> None:
    assert making_room(jobs((A, 10)), {A: Share(1, 10)}, 0) == []


def test_the_workspace_that_uses_most_gives_first_until_the_others_use_as_much() -> None:
    ended = jobs((B, 10), (A, 40), (A, 40), (B, 10), (A, 40))

    order = in_turn(ended, {A: Share(1, 120), B: Share(1, 48)})

    assert places(list(order)) == [1, 2, 0, 4, 3]


def test_a_workspace_of_more_weight_may_use_more() -> None:
    ended = jobs((A, 10), (B, 10))

    assert places(making_room(ended, {A: Share(4, 100), B: Share(1, 30)}, 1)) == [1]


def test_a_workspace_that_uses_most_and_has_nothing_ended_costs_the_next_one() -> None:
    assert places(making_room(jobs((B, 5)), {A: Share(1, 900), B: Share(1, 5)}, 3)) == [0]


WORKSPACES = st.sampled_from([A, B, C])


@given(
    st.lists(st.tuples(WORKSPACES, st.integers(1, 50)), max_size=30),
    st.fixed_dictionaries(
        {one: st.builds(Share, st.sampled_from([0.5, 1, 3]), st.integers(0, 2000)) for one in (A, B, C)}
    ),
    st.integers(0, 1000),
)
def test_as_few_go_as_it_takes_and_within_a_workspace_the_oldest(
    of: list[tuple[UUID, int]], shares: dict[UUID, Share], missing: int
) -> None:
    ended = jobs(*of)

    chosen = making_room(ended, shares, missing)

    freed = [one.bytes for one in chosen]
    assert sum(freed) >= min(missing, sum(one.bytes for one in ended))
    assert sum(freed[:-1]) < max(missing, 1)
    for workspace in shares:
        mine = [one for one in chosen if one.workspace == workspace]
        assert mine == [one for one in ended if one.workspace == workspace][: len(mine)]
