"""Who is served next: the least loaded workspace, in it the least loaded job, then the oldest."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Waiting:
    """A job with something to announce, and what it and its workspace have in flight."""

    job: UUID
    workspace: UUID
    load: int
    priority: float
    workspace_load: int
    weight: float


def share(waiting: Sequence[Waiting], room: int) -> list[UUID]:
    """`room` places among jobs given oldest first; a job may get several, each place counting as load at once."""
    jobs = {item.job: item.load for item in waiting}
    workspaces = {item.workspace: item.workspace_load for item in waiting}
    places: list[UUID] = []
    while waiting and len(places) < room:
        best = min(waiting, key=lambda item: (workspaces[item.workspace] / item.weight, jobs[item.job] / item.priority))
        jobs[best.job] += 1
        workspaces[best.workspace] += 1
        places.append(best.job)
    return places
