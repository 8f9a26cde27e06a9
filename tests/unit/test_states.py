"""The state page, transition by transition and row by row; then what must hold for every combination."""

from collections.abc import Collection, Mapping
from itertools import chain, combinations, product
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retake.domain.states import (
    ENDED,
    PARTS,
    VARIATIONS,
    WISHES,
    PartState,
    State,
    VariationState,
    Wish,
    job_state,
    outcome,
    requeued,
    video_state,
)

T = TypeVar("T")

P, V, S = PartState, VariationState, State
TABLES: Mapping[str, Mapping] = {"wish": WISHES, "part": PARTS, "variation": VARIATIONS}

PAGE = {
    "wish run -> pause": "a person pauses",
    "wish pause -> run": "a person resumes",
    "wish run -> cancel": "a person cancels",
    "wish pause -> cancel": "a person cancels while paused",
    "wish cancel -> run": "a person retries an ended job",
    "wish run -> expire": "age, space or a person's delete",
    "wish pause -> expire": "deleted while paused",
    "wish cancel -> expire": "a cancelled job grows old",
    "part queued -> running": "a worker claims it",
    "part running -> queued": "released, or its lease was lost",
    "part running -> done": "nothing is left to do",
    "part queued -> cancelled": "cancel or expire, in the same transaction",
    "part running -> cancelled": "released or reaped under cancel",
    "part done -> queued": "retry of what failed",
    "part cancelled -> queued": "retry of what was cancelled",
    "variation queued -> completed": "its object exists",
    "variation queued -> failed": "its error says why",
    "variation queued -> cancelled": "cancel or expire, also under a running part",
    "variation failed -> queued": "retry",
    "variation cancelled -> queued": "retry",
}
EVERY = [f"{noun} {old} -> {new}" for noun, table in TABLES.items() for old, new in product(table, table)]


def allowed(step: str) -> bool:
    noun, old, _, new = step.split()
    return new in TABLES[noun][old]


def subsets(kinds: Collection[T]) -> list[frozenset[T]]:
    return [frozenset(some) for some in chain(*(combinations(kinds, n) for n in range(len(kinds) + 1)))]


VIDEO_STATES = [S.QUEUED, S.PROCESSING, S.COMPLETED, S.FAILED, S.CANCELLED]
VIDEO_ENDS = [S.COMPLETED, S.FAILED, S.CANCELLED]
EVERY_VIDEO = list(product(subsets(P), subsets(V), [False, True]))
EVERY_JOB = list(product(Wish, subsets(VIDEO_STATES)[1:]))


@pytest.mark.parametrize("step", PAGE, ids=[f"{step}: {why}" for step, why in PAGE.items()])
def test_the_page_allows(step: str) -> None:
    assert allowed(step)


@pytest.mark.parametrize("step", [step for step in EVERY if step not in PAGE])
def test_the_page_does_not_allow(step: str) -> None:
    assert not allowed(step)


def test_every_state_of_a_table_can_be_left_or_is_meant_to_be_final() -> None:
    final = {f"{noun} {state}" for noun, table in TABLES.items() for state, steps in table.items() if not steps}

    assert final == {"wish expire", "variation completed"}


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ({V.COMPLETED}, S.COMPLETED),
        ({V.FAILED}, S.FAILED),
        ({V.CANCELLED}, S.CANCELLED),
        ({V.COMPLETED, V.FAILED}, S.COMPLETED),
        ({V.COMPLETED, V.CANCELLED}, S.CANCELLED),
        ({V.FAILED, V.CANCELLED}, S.CANCELLED),
        ({V.COMPLETED, V.FAILED, V.CANCELLED}, S.CANCELLED),
        ({S.COMPLETED, S.FAILED}, S.COMPLETED),
        ({S.COMPLETED, S.CANCELLED}, S.CANCELLED),
        ({S.FAILED}, S.FAILED),
    ],
    ids=lambda value: " + ".join(sorted(value)) if isinstance(value, set) else f"= {value}",
)
def test_the_outcome_of(kinds: set[str], state: State) -> None:
    assert outcome(kinds) is state


@pytest.mark.parametrize(
    ("parts", "variations", "error", "state"),
    [
        pytest.param([P.QUEUED], [], False, S.QUEUED, id="queued while its inspect part waits"),
        pytest.param([P.RUNNING], [], False, S.PROCESSING, id="processing while it is inspected"),
        pytest.param([P.DONE, P.QUEUED], [V.QUEUED], False, S.PROCESSING, id="processing between inspect and render"),
        pytest.param([P.DONE, P.RUNNING], [V.QUEUED], False, S.PROCESSING, id="processing while it renders"),
        pytest.param(
            [P.DONE, P.DONE, P.QUEUED],
            [V.COMPLETED, V.QUEUED],
            False,
            S.PROCESSING,
            id="processing until the last part",
        ),
        pytest.param([P.DONE, P.RUNNING], [V.CANCELLED], False, S.PROCESSING, id="processing until a worker stopped"),
        pytest.param([P.CANCELLED, P.QUEUED], [], False, S.QUEUED, id="queued again though a part stayed cancelled"),
        pytest.param([P.DONE, P.DONE], [V.COMPLETED], False, S.COMPLETED, id="completed by its variations"),
        pytest.param([P.DONE, P.DONE], [V.COMPLETED, V.FAILED], False, S.COMPLETED, id="completed though one failed"),
        pytest.param([P.DONE, P.DONE], [V.FAILED], False, S.FAILED, id="failed by its variations"),
        pytest.param(
            [P.DONE, P.CANCELLED], [V.COMPLETED, V.CANCELLED], False, S.CANCELLED, id="cancelled by its variations"
        ),
        pytest.param(
            [P.DONE, P.CANCELLED],
            [V.COMPLETED],
            False,
            S.COMPLETED,
            id="completed, for all was committed before the cancel",
        ),
        pytest.param([P.CANCELLED], [], False, S.CANCELLED, id="cancelled before it was planned"),
        pytest.param([P.CANCELLED], [], True, S.CANCELLED, id="cancelled before it was planned, whatever its error"),
        pytest.param([P.DONE], [], True, S.FAILED, id="failed by its error, never planned"),
        pytest.param([P.DONE], [], False, S.COMPLETED, id="completed without variations: a catalog"),
    ],
)
def test_a_video_is(parts: list[PartState], variations: list[VariationState], error: bool, state: State) -> None:
    assert video_state(parts, variations, error=error) is state


@pytest.mark.parametrize(
    ("wish", "videos", "state"),
    [
        pytest.param(Wish.RUN, [S.QUEUED, S.QUEUED], S.QUEUED, id="queued while all its videos are"),
        pytest.param(Wish.RUN, [S.QUEUED, S.PROCESSING], S.PROCESSING, id="processing from the first claim"),
        pytest.param(Wish.RUN, [S.QUEUED, S.FAILED], S.PROCESSING, id="processing when one ended and one waits"),
        pytest.param(Wish.PAUSE, [S.QUEUED], S.PAUSED, id="paused before anything ran"),
        pytest.param(Wish.PAUSE, [S.PROCESSING], S.PAUSED, id="paused while running parts finish"),
        pytest.param(Wish.PAUSE, [S.COMPLETED], S.COMPLETED, id="completed though paused at the very end"),
        pytest.param(Wish.CANCEL, [S.PROCESSING, S.CANCELLED], S.CANCELLING, id="cancelling while a part still runs"),
        pytest.param(Wish.CANCEL, [S.CANCELLED, S.CANCELLED], S.CANCELLED, id="cancelled when all have stopped"),
        pytest.param(
            Wish.CANCEL, [S.COMPLETED, S.COMPLETED], S.COMPLETED, id="completed, for the cancel came too late"
        ),
        pytest.param(Wish.CANCEL, [S.COMPLETED, S.CANCELLED], S.CANCELLED, id="cancelled with some videos finished"),
        pytest.param(Wish.EXPIRE, [S.PROCESSING], S.CANCELLING, id="cancelling when deleted while it runs"),
        pytest.param(Wish.EXPIRE, [S.COMPLETED], S.EXPIRED, id="expired whatever came out"),
        pytest.param(Wish.EXPIRE, [S.CANCELLED, S.FAILED], S.EXPIRED, id="expired after a cancel"),
        pytest.param(Wish.RUN, [S.COMPLETED, S.FAILED], S.COMPLETED, id="completed when one video gave something"),
        pytest.param(Wish.RUN, [S.FAILED, S.FAILED], S.FAILED, id="failed only when nothing usable came out"),
    ],
)
def test_a_job_is(wish: Wish, videos: list[State], state: State) -> None:
    assert job_state(wish, videos) is state


@pytest.mark.parametrize(
    ("wish", "state"),
    [(Wish.RUN, P.QUEUED), (Wish.PAUSE, P.QUEUED), (Wish.CANCEL, P.CANCELLED), (Wish.EXPIRE, P.CANCELLED)],
)
def test_what_would_become_queued_under_this_wish_becomes(wish: Wish, state: PartState) -> None:
    assert requeued(wish) is state


def test_what_goes_elsewhere_than_queued_may_go_there_from_running() -> None:
    assert all(requeued(wish) in PARTS[P.RUNNING] for wish in Wish)


def test_a_variation_may_be_born_in_the_state_its_part_is_sent_to() -> None:
    assert {VariationState(requeued(wish)) for wish in Wish} == {V.QUEUED, V.CANCELLED}


def test_every_video_has_a_state_that_only_a_video_can_have() -> None:
    states = {video_state(parts, variations, error=error) for parts, variations, error in EVERY_VIDEO}

    assert states == set(VIDEO_STATES)


def test_every_job_has_a_state_and_every_state_is_some_jobs() -> None:
    assert {job_state(wish, videos) for wish, videos in EVERY_JOB} == set(State)


def test_a_video_has_ended_exactly_when_none_of_its_parts_waits_or_runs() -> None:
    for parts, variations, error in EVERY_VIDEO:
        at_work = bool({P.QUEUED, P.RUNNING} & parts)

        assert (video_state(parts, variations, error=error) in ENDED) is not at_work


def test_a_job_has_ended_exactly_when_all_its_videos_have_whatever_its_wish() -> None:
    for wish, videos in EVERY_JOB:
        assert (job_state(wish, videos) in ENDED) is (videos <= ENDED)


def test_a_job_is_expired_only_by_wish_and_cancelling_or_paused_only_before_its_end() -> None:
    for wish, videos in EVERY_JOB:
        state, over = job_state(wish, videos), videos <= ENDED

        assert (state is S.EXPIRED) == (over and wish is Wish.EXPIRE)
        assert (state is S.CANCELLING) == (not over and wish in {Wish.CANCEL, Wish.EXPIRE})
        assert (state is S.PAUSED) == (not over and wish is Wish.PAUSE)


def test_once_nothing_waits_or_runs_no_job_is_left_cancelling() -> None:
    for parts, variations in product(subsets(P)[1:], subsets(V)):
        stopped = {requeued(Wish.CANCEL) if part in {P.QUEUED, P.RUNNING} else part for part in parts}
        cancelled = {V.CANCELLED if variation is V.QUEUED else variation for variation in variations}

        assert job_state(Wish.CANCEL, [video_state(stopped, cancelled, error=False)]) in ENDED


def test_one_more_completed_variation_never_makes_an_outcome_worse() -> None:
    rank = {S.CANCELLED: 0, S.FAILED: 0, S.COMPLETED: 1}
    for kinds in subsets(VIDEO_ENDS):
        assert rank[outcome(kinds | {S.COMPLETED})] >= rank[outcome(kinds)]


def test_a_part_that_goes_on_never_takes_its_video_back() -> None:
    way = [P.QUEUED, P.RUNNING, P.DONE]
    rank = {S.QUEUED: 0, S.PROCESSING: 1} | dict.fromkeys(VIDEO_ENDS, 2)
    for others, variations, error in EVERY_VIDEO:
        ranks = [rank[video_state({*others, part}, variations, error=error)] for part in way]

        assert ranks == sorted(ranks)


@given(wish=st.sampled_from(Wish), videos=st.lists(st.sampled_from(VIDEO_STATES), min_size=1), salt=st.randoms())
def test_only_the_kinds_count_neither_their_number_nor_their_order(wish: Wish, videos: list[State], salt) -> None:
    shuffled = [*videos, *videos]
    salt.shuffle(shuffled)

    assert job_state(wish, shuffled) is job_state(wish, set(videos)) is job_state(wish, videos)


@given(st.data())
def test_along_any_legal_life_an_ended_video_comes_back_only_through_a_retry(data: st.DataObject) -> None:
    parts = [P.QUEUED] * 2
    for _ in range(12):
        before = video_state(parts, {V.FAILED}, error=False)
        moved = data.draw(st.sampled_from([index for index, part in enumerate(parts) if PARTS[part]]))
        target = data.draw(st.sampled_from(sorted(PARTS[parts[moved]])))
        retried = parts[moved] in {P.DONE, P.CANCELLED}
        parts[moved] = target

        assert before not in ENDED or retried or video_state(parts, {V.FAILED}, error=False) in ENDED
