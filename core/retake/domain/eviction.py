"""Which ended jobs make room, and in which order: of the workspace that uses most for its weight, the one that ended
first. It is asked anew after each, so workspaces are levelled and none is emptied for another."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

HIGH, LOW = 0.85, 0.75
"""Above so much of the cap ended jobs go, until no more than so much is used."""


@dataclass(frozen=True)
class Share:
    """What a workspace weighs and uses."""

    weight: float
    used: int


@dataclass(frozen=True)
class Ended:
    """A job that may go, and the bytes that go with it."""

    job: UUID
    workspace: UUID
    bytes: int


E = TypeVar("E", bound=Ended)


def in_turn(ended: Sequence[E], shares: Mapping[UUID, Share]) -> Iterator[E]:
    """`ended` is in the order in which they ended."""
    used = {workspace: share.used for workspace, share in shares.items()}
    waiting: dict[UUID, deque[tuple[int, E]]] = {}
    for place, job in enumerate(ended):
        waiting.setdefault(job.workspace, deque()).append((place, job))
    while waiting:
        most = max(waiting, key=lambda one: (used[one] / shares[one].weight, -waiting[one][0][0]))
        _, job = waiting[most].popleft()
        used[most] -= job.bytes
        if not waiting[most]:
            del waiting[most]
        yield job


def making_room(ended: Sequence[E], shares: Mapping[UUID, Share], missing: int) -> list[E]:
    """As few as it takes to free so many bytes; all of them when that is not enough."""
    chosen: list[E] = []
    for job in in_turn(ended, shares):
        if missing <= 0:
            break
        chosen.append(job)
        missing -= job.bytes
    return chosen
