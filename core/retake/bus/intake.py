"""Takes messages, one at a time, from the consumer all workers share.

nats-py's own fetch is not used: when it is cancelled, when the line breaks or when the consumer is deleted, it sits out
its time, and a message that arrives then lies unread for an AckWait. Here a take ends when the server says that its
request is over, so between two takes nothing can arrive.

1. A message that is already here (whoever asked for it was cancelled) is next.
2. Ask for one message, unless that was done and is not over, and wait for it or for the word that there is none.
3. Told that there is no such stream or consumer: have them made again, and ask again.
4. After trouble use a new inbox: the server forgets what was asked for an inbox nobody listens to.
5. At the end stop listening, and hand back what came too late, so that another worker has it at once.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from retake.bus.errors import BusClosed, BusMisconfigured, BusMissing, BusUnavailable
from retake.bus.line import Line, asked

log = structlog.stdlib.get_logger(__name__)

_GRACE = 1.0  # how late the server's word that the time is over may come
_LONG_AGO = float("-inf")
_NOTHING = ("404", "408")


class Intake:
    def __init__(self, line: Line, subject: str, *, repair: Callable[[], Awaitable[None]], retry: float) -> None:
        self._line, self._subject, self._repair, self._retry = line, subject, repair, retry
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()  # None: stopping
        self._taking = asyncio.Lock()
        self._stopping = False
        self._listening: Subscription | None = None
        self._asked_until = _LONG_AGO  # when the request that is out will be over

    async def take(self, deadline: float) -> Msg | None:
        """The next message; None at the deadline and after `stop`. Trouble is mended here, or sat out."""
        async with self._taking:
            while not self._stopping:
                message = None
                try:
                    message = await self._request(deadline)
                except BusClosed:
                    raise
                except BusUnavailable as error:
                    await self._mend(error, deadline)
                if message and not self._stopping:
                    return message
                if message:
                    await _hand_back(message)
                elif _left(deadline) <= 0:
                    return None
        return None

    async def stop(self) -> None:
        """A running take ends now. Safe to call twice, and without a connection."""
        self._stopping = True
        self._arrived.put_nowait(None)
        async with self._taking:
            listening, self._listening = self._listening, None
            if listening and self._line.client.is_connected:
                try:
                    async with asyncio.timeout(_GRACE):
                        await asked(listening.drain())  # type: ignore[no-untyped-call]  # nats-py's
                except (BusUnavailable, TimeoutError) as error:
                    log.debug("the inbox did not close in order", error=repr(error))
            while not self._arrived.empty():
                message = self._arrived.get_nowait()
                if message and not _status(message):
                    await _hand_back(message)

    async def _request(self, deadline: float) -> Msg | None:
        answer = await self._answer(deadline) if self._arrived.empty() else self._arrived.get_nowait()
        status = _status(answer) if answer else ""
        if status and not status.startswith(_NOTHING):
            raise BusMissing(status)
        return None if status else answer

    async def _answer(self, deadline: float) -> Msg | None:
        sooner = False
        try:
            async with self._line.up():
                if _left(self._asked_until + _GRACE) <= 0:
                    await self._ask(deadline)
                sooner = deadline < self._asked_until
                async with asyncio.timeout_at(deadline if sooner else self._asked_until + _GRACE):
                    return await self._arrived.get()
        except TimeoutError:
            if sooner:
                return None
            raise BusUnavailable("NATS does not answer") from None

    async def _ask(self, until: float) -> None:
        client = self._line.client
        if not self._listening:
            inbox = client.new_inbox()
            self._listening = await asked(client.subscribe(inbox, cb=self._arrive))
        order = json.dumps({"batch": 1, "expires": int(max(_left(until), 0.001) * 1e9)}).encode()
        self._asked_until = until
        await asked(client.publish(self._subject, order, reply=self._listening.subject))

    async def _leave(self) -> None:
        listening, self._listening = self._listening, None
        self._asked_until = _LONG_AGO
        if listening:
            with suppress(BusUnavailable):
                await asked(listening.unsubscribe())

    async def _mend(self, error: BusUnavailable, deadline: float) -> None:
        """What can be done about it, and a rest."""
        await self._leave()
        try:
            async with asyncio.timeout_at(deadline):
                if isinstance(error, BusMissing):
                    log.warning("the consumer does not answer: making sure that it is there", error=str(error))
                    await self._repair()
        except BusMisconfigured as failed:
            log.error("no message can come", error=str(failed))
        except (BusUnavailable, TimeoutError) as failed:
            log.debug("the consumer could not be looked at", error=repr(failed))
        try:
            async with asyncio.timeout(min(self._retry, _left(deadline))):
                if message := await self._arrived.get():
                    self._arrived.put_nowait(message)
        except TimeoutError:
            return

    async def _arrive(self, message: Msg) -> None:
        self._asked_until = _LONG_AGO
        self._arrived.put_nowait(message)


def _left(deadline: float) -> float:
    return deadline - asyncio.get_running_loop().time()


def _status(message: Msg) -> str:
    """Empty for a message; else a word of the server: 408 for no message in time, 409 or 503 for no consumer."""
    headers = message.headers or {}
    return f"{headers['Status']} {headers.get('Description', '')}" if "Status" in headers else ""


async def _hand_back(message: Msg) -> None:
    """The one nak in retake: nobody looked at this message, and another worker may have it now."""
    try:
        await asked(message.nak())
    except BusUnavailable as error:
        log.debug("a message could not be handed back", error=str(error))
