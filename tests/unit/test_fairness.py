from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from retake.domain.fairness import Turns, Waiting

WEIGHTS = {UUID(int=1): 1.0, UUID(int=2): 0.5, UUID(int=3): 3.0}

jobs = st.tuples(st.sampled_from(sorted(WEIGHTS)), st.integers(0, 3), st.sampled_from([0.5, 1.0, 2.0]))


def queue(drawn: list[tuple[UUID, int, float]]) -> list[Waiting]:
    """Jobs by age; a workspace's load is that of its jobs."""
    loads = {workspace: sum(load for owner, load, _ in drawn if owner == workspace) for workspace in WEIGHTS}
    return [
        Waiting(UUID(int=100 + age), workspace, load, priority, loads[workspace], WEIGHTS[workspace])
        for age, (workspace, load, priority) in enumerate(drawn)
    ]


def served(waiting: list[Waiting], parts: dict[UUID, int], places: int) -> list[UUID]:
    """The order in plain words: the least loaded workspace, in it the least loaded job, then the oldest."""
    order = []
    left = dict(parts)
    while len(order) < places and (able := [item for item in waiting if left[item.job]]):
        best = min(able, key=lambda item: (item.workspace_load / item.weight, item.load / item.priority))
        order.append(best.job)
        left[best.job] -= 1
        waiting = [
            replace(
                item,
                load=item.load + (item.job == best.job),
                workspace_load=item.workspace_load + (item.workspace == best.workspace),
            )
            for item in waiting
        ]
    return order


def taken(waiting: list[Waiting], parts: dict[UUID, int], places: int) -> list[UUID]:
    turns, order, left = Turns(waiting), [], dict(parts)
    while len(order) < places and (job := turns.next()) is not None:
        if left[job]:
            order.append(job)
            left[job] -= 1
            turns.take()
        else:
            turns.leave()
    return order


@given(st.lists(st.tuples(jobs, st.integers(0, 4)), max_size=8), st.integers(0, 20))
def test_turns_are_taken_in_the_order_that_plain_words_say(
    drawn: list[tuple[tuple[UUID, int, float], int]], places: int
) -> None:
    waiting = queue([job for job, _ in drawn])
    parts = {item.job: count for item, (_, count) in zip(waiting, drawn, strict=True)}

    assert taken(waiting, parts, places) == served(waiting, parts, places)


@given(st.lists(jobs, max_size=8), st.integers(0, 20))
def test_the_outlook_counts_the_turns_of_jobs_that_never_run_short(
    drawn: list[tuple[UUID, int, float]], places: int
) -> None:
    waiting = queue(drawn)
    endless = dict.fromkeys((item.job for item in waiting), places)

    outlook = Turns(waiting).outlook(places)

    assert sorted(outlook.elements()) == sorted(served(waiting, endless, places))
