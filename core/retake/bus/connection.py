"""The bus of one process: parts are announced over it and taken from it, and progress is told.

Postgres is the truth, and a message is a hint. So nothing here is kept safe: an acknowledgement may be lost, a message
may come twice or never, and wiping NATS costs some seconds. What must not happen is that a process waits for ever or
quietly stops getting messages: every call ends within its patience, a stream or consumer that is gone is made anew, and
a connection that is closed for good is visible (`closed`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import Header

from retake import metrics
from retake.bus.errors import BusMissing, BusUnavailable
from retake.bus.intake import Intake
from retake.bus.line import Line, asked
from retake.bus.messages import Malformed, PartAnnounced, ProgressTick, message_id, read, write
from retake.bus.stream import ensure
from retake.bus.subjects import CONSUMER, Subjects, consumer_table, stream_table
from retake.domain.timing import Timing
from retake.settings import Nats

log = structlog.stdlib.get_logger(__name__)

_PATIENCE = 2.0
_SILENCE = 4.0
_TICKS_KEPT = 1000  # of a reader that is slow; newer ones are dropped


class Announcement:
    """A message that was taken. Until it is acknowledged, it comes again after every AckWait."""

    def __init__(self, message: PartAnnounced, raw: Msg) -> None:
        self.message = message
        self._raw = raw

    async def ack(self) -> None:
        """Takes it off the queue. Returns in peace when NATS is away: nothing may rest on it."""
        await _acknowledge(self._raw)


async def _acknowledge(raw: Msg) -> None:
    try:
        await asked(raw.ack())
    except BusUnavailable as error:
        log.debug("a message could not be acknowledged", error=str(error))


class Bus:
    """One connection. `fetch` has one caller; everything else may be called by any task at any time."""

    def __init__(self, line: Line, stream: str, timing: Timing) -> None:
        self._line = line
        self._subjects = Subjects(stream)
        self._stream, self._consumer = stream_table(self._subjects, timing), consumer_table(timing)
        self._server = line.client.jetstream(timeout=_PATIENCE)
        self._ensuring = asyncio.Lock()
        self._silent_since: float | None = None
        self._intake = Intake(line, self._subjects.next_message(), repair=self.ensure, retry=timing.announce_poll)

    async def ensure(self) -> None:
        """The stream and its consumer are there and as they must be, or an error says why not."""
        async with self._ensuring, self._line.up():
            await ensure(self._server, self._stream, self._consumer)

    async def publish_part(self, part: PartAnnounced, patience: float = 5) -> None:
        """Returns when NATS has stored it, or had it already (same part and generation within two minutes)."""
        try:
            async with asyncio.timeout(patience), self._line.up():
                try:
                    await self._store(part, patience)
                except BusMissing:
                    await self.ensure()
                    await self._store(part, patience)
            self._silent_since = None
        except TimeoutError:
            await self._doubt()
            raise BusUnavailable(f"NATS did not acknowledge part {part.part_id} within {patience:g} s") from None

    async def _doubt(self) -> None:
        """A server that is there, with a stream that stores nothing any more, has broken it for good: nats-server does
        that when a stream is deleted and made again in the same moment. It held only hints, so it is made anew."""
        now = asyncio.get_running_loop().time()
        if not self._line.client.is_connected:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since > _SILENCE:
            self._silent_since = None
            log.error("the stream stores nothing and is made anew", stream=self._subjects.stream)
            with suppress(BusUnavailable):
                await asked(self._server.delete_stream(self._subjects.stream))
                await self.ensure()

    async def _store(self, part: PartAnnounced, patience: float) -> None:
        await asked(
            self._server.publish(
                self._subjects.part(part.kind),
                write(part),
                timeout=patience,
                stream=self._subjects.stream,
                headers={Header.MSG_ID: message_id(part)},
            )
        )

    async def fetch(self, patience: float = 5) -> Announcement | None:
        """The next announcement. None when there was none in time, be it that NATS is away, or after `stop_fetching`.

        Only a connection that is closed for good is an error: what a worker has in hand is not to suffer from NATS.
        Cancelling it loses nothing: what arrives then is kept for the next call, or handed back by `stop_fetching`.
        """
        deadline = asyncio.get_running_loop().time() + patience
        while message := await self._intake.take(deadline):
            try:
                return Announcement(read(message.data, PartAnnounced()), message)
            except Malformed as error:
                metrics.BUS_MALFORMED.inc()
                log.warning("a message nobody can read is removed", start=repr(message.data[:100]), error=str(error))
                await _acknowledge(message)
        return None

    async def stop_fetching(self) -> None:
        """A running fetch returns None now, and messages that nobody looked at go to other workers."""
        await self._intake.stop()

    async def publish_progress(self, tick: ProgressTick) -> None:
        """Told to whoever listens now; lost when NATS is away."""
        subject = self._subjects.progress(tick.workspace_id, tick.job_id)
        with suppress(BusUnavailable):
            await asked(self._line.client.publish(subject, write(tick)))

    @asynccontextmanager
    async def watch_progress(
        self, workspace_id: str = "*", job_id: str = "*"
    ) -> AsyncIterator[AsyncIterator[ProgressTick]]:
        """Ticks from here on, of one job, one workspace, or all; they end when the connection is closed for good."""
        subject = self._subjects.progress(workspace_id, job_id)
        subscription = await asked(self._line.client.subscribe(subject, pending_msgs_limit=_TICKS_KEPT))
        try:
            yield _ticks(subscription)
        finally:
            with suppress(BusUnavailable):
                await asked(subscription.unsubscribe())

    async def wake(self) -> None:
        """Tells the relays that something changed. Lost when NATS is away; they look every second anyway."""
        with suppress(BusUnavailable):
            await asked(self._line.client.publish(self._subjects.wake()))

    async def watch_wakes(self, woken: Callable[[], None]) -> None:
        """From here on, `woken` is called at each wake, until the connection ends."""

        async def call(_message: Msg) -> None:
            woken()

        await asked(self._line.client.subscribe(self._subjects.wake(), cb=call, pending_msgs_limit=_TICKS_KEPT))

    async def check(self) -> None:
        """Returns when NATS answers and the consumer is there; for probes."""
        try:
            async with self._line.up():
                await asked(self._server.consumer_info(self._subjects.stream, CONSUMER))
        except BusMissing:
            await self.ensure()

    async def waiting(self) -> int:
        """How many messages the stream holds; at rest none."""
        async with self._line.up():
            return (await asked(self._server.stream_info(self._subjects.stream))).state.messages

    async def unacknowledged(self) -> int:
        """How many messages workers took and did not acknowledge yet."""
        async with self._line.up():
            found = await asked(self._server.consumer_info(self._subjects.stream, CONSUMER))
            return found.num_ack_pending or 0

    async def closed(self) -> None:
        """Returns when this connection is closed for good: the process opens another, or ends."""
        await self._line.closed.wait()


async def _ticks(subscription: Subscription) -> AsyncIterator[ProgressTick]:
    async for message in subscription.messages:
        try:
            yield read(message.data, ProgressTick())
        except Malformed:
            metrics.BUS_MALFORMED.inc()


@asynccontextmanager
async def open_bus(settings: Nats, timing: Timing, *, name: str, patience: float = 30) -> AsyncIterator[Bus]:
    """A bus that is ready: connected, with its stream. What keeps it from that is raised when `patience` is over."""
    deadline = asyncio.get_running_loop().time() + patience
    line = Line(name=name, retry=timing.announce_poll)
    await line.open(settings.url, patience)
    try:
        bus = Bus(line, settings.stream, timing)
        await _ready(bus, deadline, timing.announce_poll)
        try:
            yield bus
        finally:
            await bus.stop_fetching()
    finally:
        await line.close()


async def _ready(bus: Bus, deadline: float, pause: float) -> None:
    """JetStream may take longer to come up than NATS itself."""
    while True:
        try:
            return await bus.ensure()
        except BusUnavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(pause)
