"""What the rows should say: the state page and the rules as a small model, moved beside the store by the walk.

It knows no times, no ledger and no events; times are two facts, whether a part is due and whether its lease has lapsed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from retake.domain.states import ENDED, WISHES, PartState, State, VariationState, Wish, job_state, requeued, video_state
from retake.domain.work import PartKind

FAILURES, LOSSES = 5, 2
LIVE = {Wish.RUN, Wish.PAUSE}
AGAIN = {VariationState.FAILED, VariationState.CANCELLED}


@dataclass
class Take:
    state: VariationState
    claim: int | None = None
    losses: int = 0


@dataclass
class Part:
    video: UUID
    kind: PartKind
    indices: Sequence[int] = ()
    state: PartState = PartState.QUEUED
    claim: int | None = None
    failures: int = 0
    due: bool = True
    lapsed: bool = False
    trying: int | None = None


@dataclass
class Video:
    job: UUID
    source: UUID
    takes: dict[int, Take] = field(default_factory=dict)
    error: str | None = None


class Model:
    def __init__(self) -> None:
        self.wishes: dict[UUID, Wish] = {}
        self.videos: dict[UUID, Video] = {}
        self.parts: dict[int, Part] = {}
        self.ready: dict[UUID, bool] = {}  # by source

    def parts_of(self, video: UUID) -> list[Part]:
        return [part for part in self.parts.values() if part.video == video]

    def wish_of(self, part: Part) -> Wish:
        return self.wishes[self.videos[part.video].job]

    def video_state(self, key: UUID) -> State:
        video = self.videos[key]
        states = [part.state for part in self.parts_of(key)]
        return video_state(states, [take.state for take in video.takes.values()], error=video.error is not None)

    def job_state(self, job: UUID) -> State:
        return job_state(self.wishes[job], [self.video_state(key) for key in self.videos_of(job)])

    def videos_of(self, job: UUID) -> list[UUID]:
        return [key for key, video in self.videos.items() if video.job == job]

    def waiting(self, part: Part) -> list[Take]:
        """The takes of a part that are still to be rendered."""
        takes = self.videos[part.video].takes
        return [takes[index] for index in part.indices if takes[index].state is VariationState.QUEUED]

    def claimable(self, part: Part) -> bool:
        return part.state is PartState.QUEUED and part.due and self.wish_of(part) is Wish.RUN

    def claimed(self, part: Part, number: int) -> None:
        part.state, part.claim, part.lapsed = PartState.RUNNING, number, False

    def leave(self, part: Part, to: PartState) -> None:
        part.state, part.claim, part.lapsed, part.trying = to, None, False, None

    def release(self, part: Part, *, blocked: bool) -> None:
        self.leave(part, requeued(self.wish_of(part)))
        part.due = not blocked

    def plan(self, part: Part, indices: Iterable[int], renders: dict[int, Sequence[int]]) -> None:
        to = requeued(self.wish_of(part))
        self.videos[part.video].takes = {index: Take(VariationState(to.value)) for index in indices}
        for key, slice_ in renders.items():
            self.parts[key] = Part(part.video, PartKind.RENDER, slice_, state=to)
        self.leave(part, PartState.DONE)

    def reap(self) -> int:
        lost = [part for part in self.parts.values() if part.lapsed]
        for part in lost:
            trying = part.trying
            self.leave(part, requeued(self.wish_of(part)))
            part.failures += trying is None
            if self.wish_of(part) in LIVE:
                self._lose(part, trying)
        return len(lost)

    def _lose(self, part: Part, trying: int | None) -> None:
        if trying is not None:
            take = self.videos[part.video].takes[trying]
            if take.state is VariationState.QUEUED:
                take.losses += 1
                take.state = VariationState.FAILED if take.losses == LOSSES else take.state
            part.state = part.state if self.waiting(part) else PartState.DONE
        elif part.failures >= FAILURES:
            part.state = PartState.DONE
            if part.kind is PartKind.INSPECT:
                self.videos[part.video].error = "worker_lost"
            for take in self.waiting(part):
                take.state = VariationState.FAILED
        else:
            part.due = part.failures == 1

    def allowed(self, job: UUID) -> set[Wish]:
        current = self.wishes[job]
        if self.job_state(job) in ENDED:
            return set(WISHES[current] & {Wish.EXPIRE})
        return set(WISHES[current]) - ({Wish.RUN} if current is Wish.CANCEL else set())

    def wish(self, job: UUID, wanted: Wish) -> None:
        self.wishes[job] = wanted
        if wanted in LIVE:
            return
        for key in self.videos_of(job):
            for part in self.parts_of(key):
                part.state = PartState.CANCELLED if part.state is PartState.QUEUED else part.state
            for take in self.videos[key].takes.values():
                take.state = VariationState.CANCELLED if take.state is VariationState.QUEUED else take.state

    def retryable(self, job: UUID, only: UUID | None) -> list[UUID]:
        """The videos a retry would queue again, whether or not their source is there."""
        live = self.wishes[job] in LIVE
        if self.wishes[job] is Wish.EXPIRE or not (live or self.job_state(job) in ENDED):
            return []
        return [
            key
            for key in self.videos_of(job)
            if only in {None, key} and self.video_state(key) in ENDED and self._unfinished(key)
        ]

    def _unfinished(self, key: UUID) -> bool:
        video = self.videos[key]
        cancelled = not video.takes and PartState.CANCELLED in {part.state for part in self.parts_of(key)}
        return video.error is not None or cancelled or any(take.state in AGAIN for take in video.takes.values())

    def retry(self, job: UUID, keys: list[UUID]) -> None:
        if self.job_state(job) in ENDED:
            self.wishes[job] = Wish.RUN
        for key in keys:
            video = self.videos[key]
            again = {index for index, take in video.takes.items() if take.state in AGAIN}
            video.error = None
            video.takes |= {index: Take(VariationState.QUEUED) for index in again}
            for part in self.parts_of(key):
                if again & set(part.indices) or not video.takes:
                    part.state, part.failures, part.due = PartState.QUEUED, 0, True

    def needed(self, source: UUID) -> bool:
        return any(self._needs(key) for key, video in self.videos.items() if video.source == source)

    def _needs(self, key: UUID) -> bool:
        video = self.videos[key]
        if self.video_state(key) not in ENDED:
            return True
        if self.wishes[video.job] is Wish.EXPIRE or (video.error is not None and video.error != "worker_lost"):
            return False
        return self._unfinished(key)
