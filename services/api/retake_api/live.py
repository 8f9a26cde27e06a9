"""What happens, told while it happens: one reader of the event log for all clients of this process.

A client that comes, or comes back, or is too slow, reads the log itself from where it stands; one that has caught up is
handed what the reader finds. Both read the same rows in the same order, so it does not matter where one ends and the
other begins, nor which replica a client comes back to. Progress ticks pass through and are kept nowhere.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from retake import metrics
from retake.domain.timing import Timing
from retake.store.connect import Database, Unavailable
from retake.store.events import Event, events_after, last_event

if TYPE_CHECKING:  # the routes can be described, and the wire code made anew, without the wire code
    from retake.bus.messages import ProgressTick

log = structlog.stdlib.get_logger(__name__)

PAGE = 200
_MOST_WAITING = 100  # of one client; then it reads the log itself
_SETTLE = 0.05  # what happens at once is read at once


class Listener:
    """One client: what it is to be told next."""

    __slots__ = ("_waiting", "_woken", "behind", "job")

    def __init__(self, job: UUID | None) -> None:
        self.job = job
        self.behind = True
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._woken = asyncio.Event()

    def offer(self, number: int, told: bytes) -> None:
        if self.behind:
            return
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append((number, told))
        elif number:
            self.fall_behind()
        self._woken.set()

    def fall_behind(self) -> None:
        """It reads for itself what it has not been told yet."""
        self._waiting.clear()
        self.behind = True
        self._woken.set()

    def wake(self) -> None:
        self._woken.set()

    async def wait(self, seconds: float) -> bool:
        """Until there is something; False when there was nothing in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
                self._woken.clear()
                return True
        return False

    def take(self) -> Iterator[tuple[int, bytes]]:
        while self._waiting:
            yield self._waiting.popleft()


class Live:
    """The listeners of this process. It reads only while there are any."""

    def __init__(self, database: Database, timing: Timing, most: int = 5000) -> None:
        self._database, self._timing, self.most = database, timing, most
        self._listeners: dict[UUID, set[Listener]] = {}
        self._read_to: dict[UUID, int] = {}
        self._woken = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self.closing = False

    def wake(self) -> None:
        """Something happened, somewhere."""
        self._woken.set()

    @property
    def full(self) -> bool:
        """This process tells as many clients as it can."""
        return sum(map(len, self._listeners.values())) >= self.most

    def close(self) -> None:
        """Every client is told good-bye, and comes back to another replica."""
        self.closing = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.wake()

    def tick(self, tick: "ProgressTick") -> None:
        told = encoded(
            "progress", None,
            {
                "jobId": tick.job_id, "fileId": tick.video_id, "progress": round(tick.percent / 100, 4),
                "variations": [{"index": one.index, "frames": one.done, "due": one.due} for one in tick.variations],
            },
        )  # fmt: skip
        for listener in self._listeners.get(UUID(tick.workspace_id), ()):
            if listener.job is None or str(listener.job) == tick.job_id:
                listener.offer(0, told)

    @contextmanager
    def _listening(self, workspace: UUID, job: UUID | None) -> Iterator[Listener]:
        listener = Listener(job)
        self._listeners.setdefault(workspace, set()).add(listener)
        metrics.LISTENERS.inc()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        try:
            yield listener
        finally:
            metrics.LISTENERS.dec()
            self._listeners[workspace].discard(listener)
            if not self._listeners[workspace]:
                del self._listeners[workspace]
                self._read_to.pop(workspace, None)
            if not self._listeners and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    async def messages(
        self, workspace: UUID, job: UUID | None, after: int, heartbeat: float
    ) -> AsyncGenerator[bytes, None]:
        """All that happens after an event, and a heartbeat when nothing does, until this closes."""
        with self._listening(workspace, job) as listener:
            while not self.closing:
                if listener.behind:
                    listener.behind = False  # from here on it is offered what comes; some of it is read here, too
                    async for number, told in self._missed(job, workspace, after):
                        yield told
                        after = number
                for number, told in listener.take():
                    if number > after or not number:
                        yield told
                        after = max(after, number)
                if not listener.behind and not await listener.wait(heartbeat):
                    yield b":\n\n"

    async def _missed(self, job: UUID | None, workspace: UUID, after: int) -> AsyncIterator[tuple[int, bytes]]:
        while page := await events_after(self._database, workspace, after, PAGE, job):
            after = page[-1].id
            yield after, b"".join(map(_message, page))

    async def _read(self) -> None:
        """Until cancelled. A database that is away costs time, not events."""
        while True:
            self._woken.clear()
            for workspace in list(self._listeners):
                try:
                    await self._read_on(workspace)
                except Unavailable as error:
                    log.warning("events cannot be read now", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.announce_poll):
                    await self._woken.wait()
                await asyncio.sleep(_SETTLE)

    async def _read_on(self, workspace: UUID) -> None:
        """Its first time it only takes its place: whoever listens reads by itself what came before."""
        if (place := self._read_to.get(workspace)) is None:
            place = await last_event(self._database, workspace)
            for listener in self._listeners.get(workspace, ()):
                listener.fall_behind()
        while page := await events_after(self._database, workspace, place, PAGE):
            for event in page:
                told = _message(event)
                for listener in self._listeners.get(workspace, ()):
                    if listener.job is None or listener.job == event.job:
                        listener.offer(event.id, told)
            place = page[-1].id
        if workspace in self._listeners:
            self._read_to[workspace] = place


def _message(event: Event) -> bytes:
    return encoded(event.kind, event.id, {"at": event.at.isoformat(), **in_public(event.job, event.body)})


def in_public(job: UUID, body: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says, in the words of the API: the list of a job's videos is called `files` there."""
    return {"jobId": str(job), **{("fileId" if name == "videoId" else name): value for name, value in body.items()}}


def encoded(kind: str, number: int | None, data: object) -> bytes:
    """One message as the stream carries it."""
    numbered = "" if number is None else f"id: {number}\n"
    return f"{numbered}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
