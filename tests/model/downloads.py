"""A download against eviction and deletion: who holds a lease on an ended job's bytes gets all of them, or a broken
connection it can see; never an end that looks like one."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model.explore import Kind, Step
from model.guards import Guard, Law
from retake.domain.states import State, Wish, job_state

CHUNKS = 2


class At(StrEnum):
    IDLE = "idle"
    ADMITTED = "admitted"  # read that the job is not expired; no lease yet
    SENDING = "sending"
    STALLED = "stalled"  # its lease ran out
    OVER = "over"


class Archive(NamedTuple):
    wish: Wish = Wish.RUN
    bytes: bool = True
    lease: bool = False
    download: At = At.IDLE
    sent: int = 0
    truncated: bool = False
    stalls: int = 1


def state(now: Archive) -> State:
    return job_state(now.wish, [State.COMPLETED])


class Downloads:
    start = Archive()

    def __init__(self, without: frozenset[Guard] = frozenset()) -> None:
        self._leased = Guard.DOWNLOAD_LEASE not in without
        self._locks = Guard.DOWNLOAD_LOCK not in without

    def steps(self, now: Archive) -> Iterator[Step[Archive]]:
        if step := self._download(now):
            yield step
        if now.stalls and now.lease:
            stalled = now._replace(lease=False, download=At.STALLED, stalls=now.stalls - 1)
            yield Step("the client stops reading until the lease runs out", stalled, Kind.FAULT)
        expired = now._replace(wish=Wish.EXPIRE)
        held = now.lease and self._leased
        if state(now) is not State.EXPIRED:
            if not held:
                yield Step("eviction expires the job", expired)
            yield Step("a person deletes the job", expired, Kind.PERSON)
        elif now.bytes and not held:
            yield Step("the purge deletes the bytes", now._replace(bytes=False))

    def _download(self, now: Archive) -> Step[Archive] | None:
        gone = state(now) is State.EXPIRED
        match now.download:
            case At.IDLE if gone:
                return Step("a download is refused: expired", now._replace(download=At.OVER), Kind.PERSON)
            case At.IDLE if self._locks:
                leased = now._replace(download=At.SENDING, lease=True)
                return Step("a download takes a lease, under the job's lock", leased, Kind.PERSON)
            case At.IDLE:
                admitted = now._replace(download=At.ADMITTED)
                return Step("a download reads that the job is completed", admitted, Kind.PERSON)
            case At.ADMITTED:
                return Step("the download writes its lease", now._replace(download=At.SENDING, lease=True))
            case At.SENDING if now.sent == CHUNKS:
                return Step("the download ends", now._replace(download=At.OVER, lease=False))
            case At.SENDING:
                sent = now._replace(sent=now.sent + 1, truncated=not now.bytes)
                return Step("the download sends bytes and renews its lease", sent)
            case At.STALLED:
                return Step("the stalled download finds its lease gone and breaks off", now._replace(download=At.OVER))
            case At.OVER:
                return None

    def broken(self, before: Archive, step: Step[Archive]) -> Law | None:
        return Law.WHOLE_DOWNLOAD if step.after.truncated else None

    def at_rest(self, now: Archive) -> bool:
        return now.download in {At.IDLE, At.OVER} and not now.lease and not now.bytes

    def unkept(self, now: Archive) -> Law:
        return Law.NO_ORPHAN

    def picture(self, now: Archive) -> str:
        return f"job {state(now)}; bytes {'there' if now.bytes else 'deleted'}; download {now.download}"
