"""Every state and every legal step, on one screen.

A person sets a job's *wish*. Workers move *parts* and *variations*. The state of a video and of a job is never set: it
is computed by the functions below in the transaction that moved anything under it, and stored only to be indexed.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum


class Wish(StrEnum):
    RUN = "run"
    PAUSE = "pause"  # nothing new starts; what runs may finish
    CANCEL = "cancel"  # what is not finished never will be, unless the ended job is retried
    EXPIRE = "expire"  # one way: age, space, or deleted by a person


class PartState(StrEnum):
    QUEUED = "queued"  # waiting for a worker
    RUNNING = "running"  # a worker holds its claim and lease
    DONE = "done"  # nothing is left to do, whatever came of it
    CANCELLED = "cancelled"


class VariationState(StrEnum):
    QUEUED = "queued"
    COMPLETED = "completed"  # its object exists
    FAILED = "failed"  # its error says why
    CANCELLED = "cancelled"


class State(StrEnum):
    """Of videos and jobs."""

    QUEUED = "queued"  # no worker touched it yet
    PROCESSING = "processing"
    PAUSED = "paused"  # job only
    CANCELLING = "cancelling"  # job only: waiting for running parts to stop
    COMPLETED = "completed"  # something usable came out
    FAILED = "failed"  # nothing usable came out
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # job only: its bytes are gone or going


VIDEO_STATES = (State.QUEUED, State.PROCESSING, State.COMPLETED, State.FAILED, State.CANCELLED)
ENDED = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED, State.EXPIRED})

WISHES: Mapping[Wish, frozenset[Wish]] = {
    Wish.RUN: frozenset({Wish.PAUSE, Wish.CANCEL, Wish.EXPIRE}),
    Wish.PAUSE: frozenset({Wish.RUN, Wish.CANCEL, Wish.EXPIRE}),
    Wish.CANCEL: frozenset({Wish.RUN, Wish.EXPIRE}),  # to run only by retry of an ended job
    Wish.EXPIRE: frozenset(),
}
PARTS: Mapping[PartState, frozenset[PartState]] = {
    PartState.QUEUED: frozenset({PartState.RUNNING, PartState.CANCELLED}),
    PartState.RUNNING: frozenset({PartState.QUEUED, PartState.DONE, PartState.CANCELLED}),
    PartState.DONE: frozenset({PartState.QUEUED}),  # retry
    PartState.CANCELLED: frozenset({PartState.QUEUED}),  # retry
}
VARIATIONS: Mapping[VariationState, frozenset[VariationState]] = {
    VariationState.QUEUED: frozenset({VariationState.COMPLETED, VariationState.FAILED, VariationState.CANCELLED}),
    VariationState.FAILED: frozenset({VariationState.QUEUED}),  # retry
    VariationState.CANCELLED: frozenset({VariationState.QUEUED}),  # retry
    VariationState.COMPLETED: frozenset(),
}


def outcome(kinds: Collection[str]) -> State:
    """What ended things add up to: variations to a video, videos to a job."""
    if State.CANCELLED in kinds:
        return State.CANCELLED
    return State.COMPLETED if State.COMPLETED in kinds else State.FAILED


def video_state(parts: Collection[PartState], variations: Collection[VariationState], *, error: bool) -> State:
    """`parts` and `variations` may be given as sets: how many there are of a kind does not matter."""
    if PartState.QUEUED in parts or PartState.RUNNING in parts:
        untouched = PartState.RUNNING not in parts and PartState.DONE not in parts
        return State.QUEUED if untouched else State.PROCESSING
    if variations:
        return outcome(variations)
    if PartState.CANCELLED in parts:
        return State.CANCELLED
    return State.FAILED if error else State.COMPLETED


def job_state(wish: Wish, videos: Collection[State]) -> State:
    if ENDED.issuperset(videos):
        return State.EXPIRED if wish is Wish.EXPIRE else outcome(videos)
    if wish in {Wish.CANCEL, Wish.EXPIRE}:
        return State.CANCELLING
    if wish is Wish.PAUSE:
        return State.PAUSED
    return State.QUEUED if set(videos) == {State.QUEUED} else State.PROCESSING


def requeued(wish: Wish) -> PartState:
    """Where a part goes that would become queued: under cancel and expire nothing may wait.

    The variations that inspect plans are born in the state of the same name.
    """
    return PartState.CANCELLED if wish in {Wish.CANCEL, Wish.EXPIRE} else PartState.QUEUED
