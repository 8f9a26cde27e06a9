"""Takes messages, one at a time, from the consumer all workers share.

nats-py's own fetch is not used: when it is cancelled, when the line breaks or when the consumer is deleted, it sits out
its time, and a message that arrives then lies unread for an AckWait. Here a take ends when the server says that its
request is over, so between two takes nothing can arrive.

1. A message that is already here (whoever asked for it was cancelled) is next.
2. Ask for one message, to an inbox that numbers the requests, and wait for it or for the word that there is none.
   Words about earlier requests are passed over.
3. Told that there is no such stream or consumer: have them made again, and ask again.
4. After the line was broken, use a new inbox: the server forgets what was asked for an inbox nobody listens to.
5. At the end stop listening, and hand back what came too late, so that another worker has it at once.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from retake.bus.errors import BusClosed, BusMissing, BusUnavailable
from retake.bus.line import Line, asked

log = structlog.stdlib.get_logger(__name__)

_GRACE = 1.0  # how late the server's word that the time is over may come
_NOTHING = {"404", "408"}


class Intake:
    def __init__(self, line: Line, subject: str, *, repair: Callable[[], Awaitable[None]], retry: float) -> None:
        self._line, self._subject, self._repair, self._retry = line, subject, repair, retry
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()  # None: look again
        self._taking = asyncio.Lock()
        self._stopping = False
        self._listening: Subscription | None = None
        self._inbox = ""
        self._requests = 0
        line.watchers.append(self._wake)

    async def take(self, deadline: float) -> Msg | None:
        """The next message; None at the deadline and after `stop`; raises when NATS did not answer up to then."""
        async with self._taking:
            while not self._stopping:
                try:
                    message = await self._request(deadline)
                except BusClosed:
                    raise
                except BusUnavailable as error:
                    await self._leave()
                    if _left(deadline) <= 0:
                        raise
                    await self._mend(error, deadline)
                    continue
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
        self._wake()
        async with self._taking:
            listening, self._listening = self._listening, None
            if listening and self._line.client.is_connected:
                try:
                    async with asyncio.timeout(_GRACE):
                        await asked(listening.drain())  # type: ignore[no-untyped-call]  # nats-py's
                except (BusUnavailable, TimeoutError) as error:
                    log.debug("the inbox did not close in order", error=repr(error))
            for message in self._here():
                await _hand_back(message)

    async def _request(self, deadline: float) -> Msg | None:
        if early := self._here():
            for message in early[1:]:
                self._arrived.put_nowait(message)
            return early[0]
        client = self._line.client
        left = max(_left(deadline), 0.001)
        try:
            async with asyncio.timeout(left + _GRACE), self._line.up():
                if not self._listening:
                    self._inbox = client.new_inbox()
                    self._listening = await asked(client.subscribe(f"{self._inbox}.*", cb=self._arrive))
                self._requests += 1
                inbox = f"{self._inbox}.{self._requests}"
                order = json.dumps({"batch": 1, "expires": int(left * 1e9)}).encode()
                await asked(client.publish(self._subject, order, reply=inbox))
                return await self._answer(inbox)
        except TimeoutError:
            raise BusUnavailable("NATS does not answer") from None

    async def _answer(self, inbox: str) -> Msg | None:
        while not self._stopping:
            message = await self._arrived.get()
            status = message and _status(message)
            if message and not status:
                return message
            if message and message.subject == inbox:
                if status in _NOTHING:
                    return None
                raise BusMissing(f"{status} {(message.headers or {}).get('Description', '')}".strip())
        return None

    async def _leave(self) -> None:
        listening, self._listening = self._listening, None
        if listening:
            with suppress(BusUnavailable):
                await asked(listening.unsubscribe())

    async def _mend(self, error: BusUnavailable, deadline: float) -> None:
        """What can be done about it, and a rest, which ends early when the line is back."""
        try:
            async with asyncio.timeout(_left(deadline)):
                if isinstance(error, BusMissing):
                    log.warning("the consumer does not answer: making sure that it is there", error=str(error))
                    await self._repair()
        except (BusUnavailable, TimeoutError) as failed:
            log.debug("the consumer could not be looked at", error=repr(failed))
        try:
            async with asyncio.timeout(min(self._retry, _left(deadline))):
                if message := await self._arrived.get():
                    self._arrived.put_nowait(message)
        except TimeoutError:
            return

    def _wake(self) -> None:
        """The line is back or closed, or the end is near: whoever waits looks again."""
        self._arrived.put_nowait(None)

    async def _arrive(self, message: Msg) -> None:
        self._arrived.put_nowait(message)

    def _here(self) -> list[Msg]:
        """Takes out what is here; words about requests that are over are dropped."""
        found = [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]
        return [message for message in found if message and not _status(message)]


def _left(deadline: float) -> float:
    return deadline - asyncio.get_running_loop().time()


def _status(message: Msg) -> str | None:
    return (message.headers or {}).get("Status")


async def _hand_back(message: Msg) -> None:
    """The one nak in retake: nobody looked at this message, and another worker may have it now."""
    try:
        await asked(message.nak())
    except BusUnavailable as error:
        log.debug("a message could not be handed back", error=str(error))
