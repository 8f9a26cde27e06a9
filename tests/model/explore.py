"""Walks through every state a small world can reach, breadth first, and tells the shortest story to what must not be.

Safety is asked of every step. Liveness is asked at the end: from every state, work alone, with no further fault and
no person's help, must be able to reach rest. In a finite world that is the same as: a run in which every step that
stays possible is taken some day, and faults end some day, comes to rest.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, NamedTuple, Protocol, TypeVar

S = TypeVar("S")


class Kind(Enum):
    WORK = auto()  # the system does it by itself, some day
    PERSON = auto()  # may happen, must not be needed
    FAULT = auto()  # may happen, must not be needed


class Step(NamedTuple, Generic[S]):
    story: str
    after: S
    kind: Kind = Kind.WORK
    claim: int = 0  # the claim it writes under; 0: none


class World(Protocol[S]):
    @property
    def start(self) -> S: ...

    def steps(self, now: S) -> Iterable[Step[S]]: ...

    def broken(self, before: S, step: Step[S]) -> str | None:
        """The law this step breaks."""

    def at_rest(self, now: S) -> bool: ...

    def unkept(self, now: S) -> str:
        """The law that a state breaks from which work never reaches rest."""

    def picture(self, now: S) -> str: ...


class Violation(NamedTuple):
    law: str
    story: tuple[str, ...]
    end: str

    def __str__(self) -> str:
        lines = [f"{number:3}. {sentence}" for number, sentence in enumerate(self.story, 1)]
        return "\n".join([self.law, *lines, f"  => {self.end}"])


@dataclass(frozen=True)
class Verdict(Generic[S]):
    states: Sequence[S]
    steps: int
    violation: Violation | None

    def __str__(self) -> str:
        return str(self.violation or f"safe and live: {len(self.states)} states, {self.steps} steps")


def explore(world: World[S], *, most: int = 300_000) -> Verdict[S]:
    states = [world.start]
    numbers = {world.start: 0}
    came: list[tuple[int, str]] = [(0, "")]
    work_into: list[list[int]] = [[]]
    steps = 0
    for here, now in enumerate(states):  # grows while it is walked through: breadth first
        for step in world.steps(now):
            steps += 1
            if law := world.broken(now, step):
                story = (*_story(came, here), step.story)
                return Verdict(states, steps, Violation(law, story, world.picture(step.after)))
            there = numbers.setdefault(step.after, len(states))
            if there == len(states):
                states.append(step.after)
                came.append((here, step.story))
                work_into.append([])
            if step.kind is Kind.WORK:
                work_into[there].append(here)
        if len(states) > most:
            raise ValueError(f"more than {most} states: make the world smaller")
    return Verdict(states, steps, _hopeless(world, states, came, work_into))


def _hopeless(
    world: World[S], states: Sequence[S], came: Sequence[tuple[int, str]], work_into: Sequence[Sequence[int]]
) -> Violation | None:
    """The nearest state from which work never reaches rest."""
    hopeful = {number for number, state in enumerate(states) if world.at_rest(state)}
    found = deque(hopeful)
    while found:
        earlier = set(work_into[found.popleft()]) - hopeful
        hopeful |= earlier
        found.extend(earlier)
    for number, state in enumerate(states):
        if number not in hopeful:
            end = f"no work leads from here to rest: {world.picture(state)}"
            return Violation(world.unkept(state), _story(came, number), end)
    return None


def _story(came: Sequence[tuple[int, str]], number: int) -> tuple[str, ...]:
    told: list[str] = []
    while number:
        number, sentence = came[number]
        told.append(sentence)
    return tuple(reversed(told))
