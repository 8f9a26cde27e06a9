"""When jobs will be done: exact where the work is even, and near enough where it is not."""

import math
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from statistics import median
from uuid import UUID

import pytest

from retake.domain.fairness import Turns, Waiting
from retake.domain.forecast import Outlook, Outstanding, forecast

OURS, THEIRS = UUID(int=1), UUID(int=2)


def outstanding(
    number: int, seconds: float, parts: int, workspace: UUID = OURS, *, untouched: bool = True, priority: float = 1
) -> Outstanding:
    return Outstanding(UUID(int=number), workspace, 1, priority, untouched, seconds, parts)


def seconds_of(work: list[Outstanding], slots: int) -> list[float | None]:
    told = forecast(work, slots)
    return [told[item.job].seconds for item in work]


def test_a_job_uses_no_more_slots_than_it_has_parts() -> None:
    assert seconds_of([outstanding(1, 60, parts=1)], slots=4) == [60]


def test_three_equal_parts_on_two_slots_take_two_rounds() -> None:
    assert seconds_of([outstanding(1, 180, parts=3)], slots=2) == [pytest.approx(120)]


def test_the_younger_job_of_a_workspace_waits_for_the_slots_the_older_one_holds() -> None:
    assert seconds_of([outstanding(1, 60, parts=2), outstanding(2, 30, parts=1)], slots=1) == [60, 90]


def test_another_workspace_has_its_share_at_once() -> None:
    first, second, other = outstanding(1, 60, 2), outstanding(2, 60, 2), outstanding(3, 60, 2, THEIRS)

    assert seconds_of([first, second, other], slots=2) == [60, 90, 60]


def test_a_job_of_higher_priority_has_more_of_the_slots() -> None:
    slow, fast = seconds_of([outstanding(1, 120, 12), outstanding(2, 120, 12, priority=2)], slots=3)

    assert fast is not None
    assert slow is not None
    assert fast < slow


def test_positions_count_only_jobs_that_nobody_touched_in_the_order_they_begin() -> None:
    work = [outstanding(1, 60, 2, untouched=False), outstanding(2, 60, 2), outstanding(3, 60, 2, THEIRS)]

    told = forecast(work, slots=2)

    assert [told[item.job].position for item in work] == [None, 2, 1]


def test_without_a_slot_nobody_says_when_but_still_after_whom() -> None:
    work = [outstanding(1, 60, 2), outstanding(2, 60, 2)]

    assert list(forecast(work, slots=0).values()) == [Outlook(1, None), Outlook(2, None)]


def test_a_job_whose_work_is_all_but_done_ends_at_once() -> None:
    assert seconds_of([outstanding(1, 0, parts=0)], slots=1) == [pytest.approx(0, abs=1e-3)]


@dataclass(eq=False)
class Part:
    job: int
    guess: float
    """What the plan says it costs."""
    takes: float
    """What it takes in truth."""
    began: float | None = None


@dataclass
class Mix:
    """A fleet, and jobs whose parts cost other than the plan says: each worker, source and part is its own."""

    slots: int
    workspaces: list[int]
    waiting: list[Part]
    now: float = 0
    running: list[Part] = field(default_factory=list)
    done: list[Part] = field(default_factory=list)
    ends: dict[int, float] = field(default_factory=dict)

    @classmethod
    def drawn(cls, rng: Random) -> "Mix":
        pace = rng.uniform(0.4, 3)
        workspaces = [rng.randrange(3) for _ in range(rng.randint(1, 12))]
        parts = []
        for job in range(len(workspaces)):
            usual, bias = rng.uniform(2, 60), rng.lognormvariate(0, 0.15)
            for _ in range(rng.randint(2, 40)):
                guess = usual * rng.uniform(0.8, 1.2)
                parts.append(Part(job, guess, guess * pace * bias * rng.lognormvariate(0, 0.25)))
        return cls(rng.randint(1, 8), workspaces, parts)

    def run(self, until: float) -> None:
        """Until so much of all work is done. Whenever a slot is free, it goes where the relay would send it."""
        parts = [*self.waiting, *self.running, *self.done]
        due = until * sum(part.takes for part in parts) - sum(part.takes for part in self.done)
        while due > 0 and (self.waiting or self.running):
            while self.waiting and len(self.running) < self.slots:
                self.running.append(part := self._next())
                self.waiting.remove(part)
                part.began = self.now
            first = min(self.running, key=lambda part: (part.began or 0) + part.takes)
            self.running.remove(first)
            self.done.append(first)
            assert first.began is not None
            self.now = self.ends[first.job] = first.began + first.takes
            due -= first.takes

    def _next(self) -> Part:
        loads = Counter(part.job for part in self.running)
        of_workspace = Counter(self.workspaces[job] for job in loads.elements())
        turns = Turns(
            [
                Waiting(UUID(int=job), UUID(int=workspace), loads[job], 1, of_workspace[workspace], 1)
                for job in dict.fromkeys(part.job for part in self.waiting)
                for workspace in [self.workspaces[job]]
            ]
        )
        return next(part for part in self.waiting if UUID(int=part.job) == turns.next())

    def forecast(self) -> dict[int, float]:
        """From what one can know now: guesses, what became of those that are done, and how far the others are."""
        pace = sum(part.takes for part in self.done) / sum(part.guess for part in self.done)
        work = []
        for job, workspace in enumerate(self.workspaces):
            left = [part for part in (*self.waiting, *self.running) if part.job == job]
            seconds = sum(
                part.guess * pace * (1 if part.began is None else 1 - (self.now - part.began) / part.takes)
                for part in left
            )
            if left:
                work.append(outstanding(job, seconds, len(left), UUID(int=workspace)))
        return {
            job.int: self.now + (outlook.seconds or math.inf) for job, outlook in forecast(work, self.slots).items()
        }


def test_after_a_tenth_of_the_work_the_time_left_is_known_within_a_quarter() -> None:
    errors = []
    for seed in range(100):
        mix = Mix.drawn(Random(seed))
        mix.run(until=0.1)
        then, told = mix.now, mix.forecast()
        mix.run(until=1.1)
        errors += [abs(end - mix.ends[job]) / (mix.ends[job] - then) for job, end in told.items()]

    assert len(errors) > 300
    assert median(errors) < 0.25
