"""Who is served next: the least loaded workspace, in it the least loaded job, then the oldest."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush, heapreplace
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


class Turns:
    """Whose turn it is among jobs given oldest first. A turn taken counts as load at once."""

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self._loads = {item.workspace: item.workspace_load for item in waiting}
        self._jobs: dict[UUID, list[tuple[float, int, Waiting]]] = defaultdict(list)
        for age, item in enumerate(waiting):
            heappush(self._jobs[item.workspace], (item.load / item.priority, age, item))
        self._workspaces: list[tuple[float, float, int, UUID]] = []
        for workspace in self._jobs:
            self._line_up(workspace)

    def next(self) -> UUID | None:
        """The job whose turn it is, as long as there is one."""
        return self._jobs[self._workspaces[0][-1]][0][-1].job if self._workspaces else None

    def take(self) -> None:
        """It took its turn."""
        workspace = heappop(self._workspaces)[-1]
        _, age, item = self._jobs[workspace][0]
        item = replace(item, load=item.load + 1)
        heapreplace(self._jobs[workspace], (item.load / item.priority, age, item))
        self._loads[workspace] += 1
        self._line_up(workspace)

    def leave(self) -> None:
        """It has nothing left to take a turn with."""
        workspace = heappop(self._workspaces)[-1]
        heappop(self._jobs[workspace])
        self._line_up(workspace)

    def outlook(self, places: int) -> Counter[UUID]:
        """How many of so many turns each job gets, if none has too little; it takes them."""
        turns: Counter[UUID] = Counter()
        while turns.total() < places and (job := self.next()) is not None:
            turns[job] += 1
            self.take()
        return turns

    def _line_up(self, workspace: UUID) -> None:
        if jobs := self._jobs[workspace]:
            load, age, item = jobs[0]
            heappush(self._workspaces, (self._loads[workspace] / item.weight, load, age, workspace))
