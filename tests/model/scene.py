"""What the tiny world remembers: one job with one video, its inspect part, one render part, and two workers.

Numbers that would grow without end are kept as what matters of them: of a generation, whether the broker's window
holds its Msg-Id; of a lease, whether it has run out. Claims are real numbers, never used twice.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from model.guards import Guard
from retake.domain.states import ENDED, PartState, State, VariationState, Wish, job_state, video_state

INSPECT, RENDER, NOTHING = 0, 1, -1
PARTS = ("the inspect part", "the render part")
LIMIT = 2  # failures; five in the real one
STOP = frozenset({Wish.CANCEL, Wish.EXPIRE})


class Lease(StrEnum):
    NONE = "none"
    LIVE = "live"
    PAST = "past"
    CUT_OFF = "cut off"  # past because its living worker could not reach the database


class At(StrEnum):
    IDLE = "idle"
    TOLD = "told"  # has a message, has not asked Postgres yet
    WORKING = "working"
    STORED = "stored"  # bytes are in the bucket, the row is not written
    STOPPED = "stopped"  # gave up by itself, cut off from Postgres; the part is still in its name


class Database(StrEnum):
    UP = "up"
    DOWN = "down"
    YOUNG = "young"  # started less than one lease ago


class Part(NamedTuple):
    state: PartState = PartState.QUEUED
    claim: int = 0
    lease: Lease = Lease.NONE
    failures: int = 0
    announced: bool = False
    known: bool = False  # the broker's window holds this generation's Msg-Id
    messages: int = 0  # in the stream


class Variation(NamedTuple):
    state: VariationState = VariationState.QUEUED
    claim: int = 0  # that committed it


class Object(NamedTuple):
    variation: int
    key: int  # the claim in its key
    author: int  # the claim whose bytes it holds


class Worker(NamedTuple):
    at: At = At.IDLE
    part: int = NOTHING
    claim: int = 0
    variation: int = NOTHING  # the next it renders, or has stored
    frozen: bool = False


class Relay(NamedTuple):
    part: int = NOTHING  # that it read as waiting
    published: bool = False
    stale: bool = False  # the part has another generation since


class Left(NamedTuple):
    """How many of each may still happen."""

    kills: int = 0
    freezes: int = 0
    releases: int = 0
    errors: int = 0
    wipes: int = 0
    duplicates: int = 0
    relay_deaths: int = 0
    outages: int = 0
    wishes: int = 0


class Setting(NamedTuple):
    """Which world: its size, which actors it has, and what may go wrong."""

    variations: int = 1
    broker: bool = False  # without one, a worker finds every queued part by itself
    sweeper: bool = False
    left: Left = Left()


class Rules(NamedTuple):
    setting: Setting
    without: frozenset[Guard] = frozenset()

    def has(self, guard: Guard) -> bool:
        return guard not in self.without


class Scene(NamedTuple):
    left: Left
    wish: Wish = Wish.RUN
    parts: tuple[Part, ...] = (Part(),)
    variations: tuple[Variation, ...] = ()
    error: bool = False
    job: State = State.QUEUED
    workers: tuple[Worker, ...] = (Worker(), Worker())
    objects: frozenset[Object] = frozenset()
    relay: Relay = Relay()
    reaper: int = NOTHING  # the part whose lease it read as past
    database: Database = Database.UP
    claims: int = 0


@cache
def _computed(wish: Wish, parts: Collection[PartState], variations: Collection[VariationState], error: bool) -> State:
    return job_state(wish, [video_state(parts, variations, error=error)])


def computed(scene: Scene) -> State:
    parts = tuple([part.state for part in scene.parts])
    return _computed(scene.wish, parts, tuple([variation.state for variation in scene.variations]), scene.error)


def settled(scene: Scene) -> Scene:
    """The end of every transaction that moved something: the job's state follows."""
    job = computed(scene)
    return scene if job is scene.job else scene._replace(job=job)


def with_part(scene: Scene, index: int, part: Part) -> Scene:
    return scene._replace(parts=(*scene.parts[:index], part, *scene.parts[index + 1 :]))


def with_variation(scene: Scene, index: int, variation: Variation) -> Scene:
    return scene._replace(variations=(*scene.variations[:index], variation, *scene.variations[index + 1 :]))


def with_worker(scene: Scene, index: int, worker: Worker) -> Scene:
    """Workers are alike: sorting them folds two pictures of the same thing into one."""
    others = (*scene.workers[:index], *scene.workers[index + 1 :])
    return scene._replace(workers=tuple(sorted((*others, worker))))


def used(scene: Scene, name: str) -> Left:
    return scene.left._replace(**{name: getattr(scene.left, name) - 1})


def holds(scene: Scene, worker: Worker) -> bool:
    """The fence of every write: is the part still running under this worker's claim?"""
    part = scene.parts[worker.part]
    return part.state is PartState.RUNNING and part.claim == worker.claim


def living_holder(scene: Scene, index: int) -> bool:
    claim = scene.parts[index].claim
    return any(worker.claim == claim and not worker.frozen for worker in scene.workers) if claim else False


def next_queued(scene: Scene) -> int:
    for index, variation in enumerate(scene.variations):
        if variation.state is VariationState.QUEUED:
            return index
    return NOTHING


def has_row(scene: Scene, thing: Object, *, scoped: bool) -> bool:
    """A completed row names this key, and its job is not expired."""
    variation = scene.variations[thing.variation]
    named = variation.state is VariationState.COMPLETED and (not scoped or variation.claim == thing.key)
    return named and scene.job is not State.EXPIRED


def ended(scene: Scene) -> bool:
    return scene.job in ENDED
