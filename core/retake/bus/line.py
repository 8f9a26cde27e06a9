"""The line to NATS: nats-py's client, with the ends it leaves open tied.

- A call while NATS is away fails at once, and so does one that waits for its answer when the line breaks (`up`):
  nothing is kept in a buffer to be sent who knows when.
- The line is taken up again for ever. Where nats-py gives up all the same (a fatal word from the server, a fault of its
  own), and where trying again is vain (the password changed), it is closed for good, and `closed` says so.
- One kind of trouble is one line in the log, however many tries it takes.
- Python 3.11's wait_for, which nats-py uses, swallows a cancellation when the answer comes in the same moment: `asked`
  raises it after all.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import structlog
from nats.aio.client import Client
from nats.errors import ConnectionClosedError, Error
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from retake import metrics
from retake.bus.errors import BusClosed, BusMisconfigured, BusMissing, BusUnavailable

log = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")

_CLOSING = 2.0


async def asked(call: Awaitable[T]) -> T:
    """What NATS answered, or one of retake's own errors."""
    task = asyncio.current_task()
    cancelled = task.cancelling() if task else 0
    try:
        answer = await call
    except (NotFoundError, NoStreamResponseError) as error:
        raise BusMissing("The stream or its consumer is not there") from error
    except APIError as error:
        if (error.code or 503) < 500:
            raise BusMisconfigured(f"NATS refuses: {error.description}") from error
        raise BusUnavailable(f"JetStream does not answer: {error.description or 'it is not there'}") from error
    except ConnectionClosedError as error:
        raise BusClosed("The connection to NATS is closed for good") from error
    except (Error, OSError, TimeoutError) as error:
        raise BusUnavailable(f"NATS does not answer: {error!r}") from error
    if task and task.cancelling() > cancelled:
        raise asyncio.CancelledError
    return answer


class Line:
    def __init__(self, *, name: str, retry: float) -> None:
        self.client = Client()
        self.closed = asyncio.Event()
        self._name, self._retry = name, retry
        self._deadline: float | None = None  # of the first connect, while that goes on
        self._told: set[str] = set()
        self._waiting: set[asyncio.Timeout] = set()  # calls that need the line to hold
        self._closer: asyncio.Task[None] | None = None

    async def open(self, url: str, patience: float) -> None:
        """Returns connected; tries until `patience` is over, since servers and network policies may need a moment."""
        self._deadline = asyncio.get_running_loop().time() + patience
        options: dict[str, Any] = {**_credentials(url), "reconnect_time_wait": self._retry}
        try:
            await self.client.connect(
                url,
                name=self._name,
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnected,
                reconnected_cb=self._on_reconnected,
                closed_cb=self._on_closed,
                max_reconnect_attempts=-1,
                connect_timeout=2,
                ping_interval=10,
                max_outstanding_pings=2,
                pending_size=0,
                **options,
            )
        except (Error, ValueError) as error:
            await self._give_up()
            raise BusMisconfigured(f"What answers at RETAKE_NATS_URL is not NATS: {error!r}") from error
        except BaseException:
            await self._give_up()
            raise
        self._deadline = None
        self._told.clear()

    async def _give_up(self) -> None:
        self._deadline = None
        await self.close()

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """What is asked in this block is given up when the line breaks: the answer would come to nobody."""
        await self._require()
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._waiting.add(limit)
                try:
                    yield
                finally:
                    self._waiting.discard(limit)
        except TimeoutError:
            if not limit.expired():
                raise
            await self._require()
            raise BusUnavailable("The connection to NATS broke") from None

    async def _require(self) -> None:
        if not self.client.is_connected and self._is_forlorn():
            log.error("nats-py stopped trying: the connection is given up")
            await self.close()
        if self.client.is_closed:
            self.closed.set()  # nats-py may stumble while it closes, and then calls nobody
            raise BusClosed("The connection to NATS is closed for good")
        if not self.client.is_connected:
            raise BusUnavailable("NATS is away")

    def _is_forlorn(self) -> bool:
        """nats-py tries again in a task; when that ends by an error nobody foresaw, it never tells."""
        task: asyncio.Task[None] | None = self.client._reconnection_task  # noqa: SLF001  there is no other sign
        return task is not None and task.done() and not self.client.is_closed

    async def close(self) -> None:
        """Safe in any state; a server that hangs does not hold it up."""
        try:
            async with asyncio.timeout(_CLOSING):
                await self.client.close()
        except (Error, OSError, TimeoutError, AssertionError) as error:  # it asserts that it was open once
            log.debug("the connection to NATS did not close in order", error=repr(error))
        self.closed.set()

    async def _on_error(self, error: Exception) -> None:
        """Raising here is the one way out of nats-py's first connect, which else tries for ever; later it must not."""
        refused = "authorization violation" in str(error).lower()
        if self._deadline is not None:
            if refused:
                raise BusMisconfigured("NATS does not accept the token or password in RETAKE_NATS_URL") from error
            if asyncio.get_running_loop().time() > self._deadline:
                raise BusUnavailable(f"NATS did not answer in time: {error!r}") from error
        elif refused and not self._closer:
            log.error("NATS no longer accepts the token or password in RETAKE_NATS_URL: the connection is given up")
            self._closer = asyncio.create_task(self.close())
        if repr(error) not in self._told:
            self._told.add(repr(error))
            log.warning("trouble with NATS", error=repr(error))

    async def _on_disconnected(self) -> None:
        if not self.client.is_closed:
            log.warning("NATS is away")
        self._break()

    async def _on_reconnected(self) -> None:
        metrics.BUS_RECONNECTS.inc()
        self._told.clear()
        log.info("NATS is back")

    async def _on_closed(self) -> None:
        log.info("the connection to NATS is closed", last_error=repr(self.client.last_error))
        self.closed.set()

    def _break(self) -> None:
        while self._waiting:
            self._waiting.pop().reschedule(0)


def _credentials(url: str) -> dict[str, str]:
    """Token, or user and password, of the URL; nats-py would take them without undoing their %-escapes."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    if parts.password is None:
        return {"token": unquote(parts.username)}
    return {"user": unquote(parts.username), "password": unquote(parts.password)}
