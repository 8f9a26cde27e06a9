"""When jobs will be done, and which waits behind which: the dispatch played forward with what is known of the work.

The slots are shared as the relay shares them (fairness.py), a job using no more of them than it has parts left. Work
flows evenly until a job ends, or has so few parts left that a slot gets free; then the slots are shared anew.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from retake.domain.fairness import Turns, Waiting

_NOTHING = 1e-6  # seconds


@dataclass(frozen=True)
class Outstanding:
    """What is left of a job that may be worked on: so many seconds of one slot, in so many parts."""

    job: UUID
    workspace: UUID
    weight: float
    priority: float
    untouched: bool
    seconds: float
    parts: int


class _Left:
    """What is left of it by then. Slots end their parts in rounds, and the last round may not need all of them."""

    def __init__(self, item: Outstanding) -> None:
        self.item = item
        self._seconds, self._parts = max(item.seconds, _NOTHING), float(max(item.parts, 1))

    @property
    def parts(self) -> int:
        return math.ceil(round(self._parts, 6))

    @property
    def done(self) -> bool:
        return self._seconds <= _NOTHING

    def until_fewer(self, slots: int) -> float:
        """How long so many slots, no more than there are parts, have enough to do; or until all is done."""
        if self.parts == slots:
            return self._seconds / slots
        last_round = self.parts % slots or slots
        return self._seconds * (1 - last_round / self._parts) / slots

    def work(self, seconds: float, slots: int) -> None:
        if self.parts > slots:
            self._parts -= self._parts * seconds * slots / self._seconds
        self._seconds -= seconds * slots


@dataclass(frozen=True)
class Outlook:
    """`position` counts, from 1, the jobs that no worker has touched yet; `seconds` are until the job's end."""

    position: int | None = None
    seconds: float | None = None


Lines = Mapping[UUID, dict[UUID, _Left]]
"""The jobs of each workspace that are not done yet, oldest first."""


def forecast(work: Sequence[Outstanding], slots: int) -> dict[UUID, Outlook]:
    """By job; `work` is given oldest first. Without a slot nobody can say when, but still after whom."""
    lines: Lines = defaultdict(dict)
    for item in work:
        lines[item.workspace][item.job] = _Left(item)
    age = {item.job: place for place, item in enumerate(work)}
    begun: dict[UUID, Outstanding] = {}
    ends: dict[UUID, float] = {}
    now = 0.0
    while len(ends) < len(work):
        shares = _shares(lines, age, max(slots, 1))
        begun |= {left.item.job: left.item for left, _ in shares}
        now += (step := min(left.until_fewer(share) for left, share in shares))
        for left, share in shares:
            left.work(step, share)
            if left.done:
                ends[left.item.job] = now
                del lines[left.item.workspace][left.item.job]
    untouched = [job for job, item in begun.items() if item.untouched]
    position = {job: place for place, job in enumerate(untouched, start=1)}
    return {job: Outlook(position.get(job), end if slots else None) for job, end in ends.items()}


def _shares(lines: Lines, age: Mapping[UUID, int], slots: int) -> list[tuple[_Left, int]]:
    """How many slots each job has, in the order of their turns. The jobs behind these would not get one."""
    served = {job: left for line in lines.values() for job, left in islice(line.items(), slots)}
    waiting = [served[job].item for job in sorted(served, key=age.__getitem__)]
    turns = Turns([Waiting(item.job, item.workspace, 0, item.priority, 0, item.weight) for item in waiting])
    shares: Counter[UUID] = Counter()
    while shares.total() < slots and (job := turns.next()) is not None:
        if shares[job] < served[job].parts:
            shares[job] += 1
            turns.take()
        else:
            turns.leave()
    return [(served[job], share) for job, share in shares.items() if share]
