"""Rule 8's counting: a take that kills its worker ends alone; a worker lost by accident is held against nobody else.

A part that lost a worker renders take by take and names each before it starts. Who is lost under a name counts against
that take; who is lost without one counts against the part.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model.explore import Kind, Step
from model.guards import Guard, Law
from retake.domain.states import PartState, VariationState

NOTHING = -1
LOSSES, FAILURES = 2, 5
PREPARING = NOTHING  # the poison lies in what comes before the first take


class At(StrEnum):
    NOWHERE = "nowhere"  # no worker, or a lost one
    PREPARING = "preparing"
    BETWEEN = "between takes"
    RENDERING = "rendering"


class Take(NamedTuple):
    state: VariationState = VariationState.QUEUED
    losses: int = 0
    deaths: int = 0  # the truth: workers lost while they rendered it by name


class Slice(NamedTuple):
    takes: tuple[Take, ...] = (Take(), Take())
    part: PartState = PartState.QUEUED
    failures: int = 0
    trying: int = NOTHING
    worker: At = At.NOWHERE
    take: int = NOTHING
    kills: int = 3


class Poison:
    """`poison` is the take that kills whoever renders it; PREPARING kills whoever starts; None kills nobody."""

    start = Slice()

    def __init__(self, poison: int | None, without: frozenset[Guard] = frozenset()) -> None:
        self._poison = poison
        self._forgets = Guard.FORGET not in without

    def steps(self, now: Slice) -> Iterator[Step[Slice]]:
        queued = [number for number, take in enumerate(now.takes) if take.state is VariationState.QUEUED]
        if now.worker is not At.NOWHERE and now.kills:
            yield Step("the worker is killed by accident", _lost(now)._replace(kills=now.kills - 1), Kind.FAULT)
        match now.worker:
            case At.NOWHERE if now.part is PartState.QUEUED:
                trying = NOTHING if self._forgets else now.trying
                claimed = now._replace(part=PartState.RUNNING, worker=At.PREPARING, trying=trying)
                yield Step("a worker claims the part", claimed)
            case At.NOWHERE if now.part is PartState.RUNNING:
                yield _reaped(now)
            case At.PREPARING if self._poison == PREPARING:
                yield Step("preparing kills the worker", _lost(now))
            case At.PREPARING:
                yield Step("the worker has the source", now._replace(worker=At.BETWEEN))
            case At.BETWEEN if not queued:
                yield Step("the worker finishes the part", now._replace(part=PartState.DONE, worker=At.NOWHERE))
            case At.BETWEEN if not now.failures and self._poison in queued:
                yield Step("rendering all takes at once kills the worker", _lost(now))
            case At.BETWEEN:
                named = queued[0] if now.failures else now.trying
                begun = now._replace(worker=At.RENDERING, take=queued[0], trying=named)
                yield Step(f"the worker begins take {queued[0] + 1}{' by name' * bool(now.failures)}", begun)
            case At.RENDERING if now.take == self._poison:
                yield Step(f"take {now.take + 1} kills the worker", _lost(now))
            case At.RENDERING:
                after = _with(now, now.take, now.takes[now.take]._replace(state=VariationState.COMPLETED))
                after = after._replace(worker=At.BETWEEN, trying=NOTHING if self._forgets else now.trying)
                yield Step(f"the worker commits take {now.take + 1}", after)

    def broken(self, before: Slice, step: Step[Slice]) -> Law | None:
        now = step.after
        if any(take.losses > take.deaths for take in now.takes) or now.failures > FAILURES:
            return Law.ATTEMPTS
        if now.failures < FAILURES and any(
            take.state is VariationState.FAILED and take.deaths < LOSSES for take in now.takes
        ):
            return Law.ATTEMPTS
        return None

    def at_rest(self, now: Slice) -> bool:
        return now.part is PartState.DONE

    def unkept(self, now: Slice) -> Law:
        return Law.ENDS

    def picture(self, now: Slice) -> str:
        takes = ", ".join(f"{take.state} ({take.losses} losses)" for take in now.takes)
        return f"part {now.part} ({now.failures} failures); takes {takes}"


def _lost(now: Slice) -> Slice:
    gone = now._replace(worker=At.NOWHERE, take=NOTHING)
    if now.worker is At.RENDERING and now.failures:
        take = now.takes[now.take]
        return _with(gone, now.take, take._replace(deaths=take.deaths + 1))
    return gone


def _reaped(now: Slice) -> Step[Slice]:
    queued = now._replace(part=PartState.QUEUED)
    if now.trying != NOTHING and now.takes[now.trying].state is VariationState.QUEUED:
        take = now.takes[now.trying]
        failed = take.losses + 1 >= LOSSES
        take = take._replace(losses=take.losses + 1, state=VariationState.FAILED if failed else take.state)
        return Step(f"the reaper counts a loss against take {now.trying + 1}", _with(queued, now.trying, take))
    failures = now.failures + 1
    if failures < FAILURES:
        return Step("the reaper counts a failure against the part", queued._replace(failures=failures))
    left = {VariationState.QUEUED: VariationState.FAILED}
    takes = tuple(take._replace(state=left.get(take.state, take.state)) for take in now.takes)
    over = now._replace(part=PartState.DONE, failures=failures, takes=takes)
    return Step("the reaper fails what is left of the part", over)


def _with(now: Slice, number: int, take: Take) -> Slice:
    return now._replace(takes=(*now.takes[:number], take, *now.takes[number + 1 :]))
