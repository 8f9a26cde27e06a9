"""How long a request body may take, and how a refused one ends: the server below has neither limit.

While a body arrives, only the time spent waiting for the client counts, not the time we take with what came: a client
is cut when its next byte takes too long, or when it brought too little for the time it was waited for.

An answer given before the body ended (too large, not a video) closes the connection, but not at once: a socket that
is closed on unread bytes is reset, and the reset overtakes the answer. So what still comes is read and dropped for a
while.
"""

import asyncio
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retake_api.problems import Problem

LINGER = 10.0
"""For how many seconds the rest of a refused body is read and dropped."""


class Patience:
    def __init__(self, app: ASGIApp, idle: float, slowest: int) -> None:
        self._app, self._idle, self._slowest = app, idle, slowest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, self._idle, self._slowest)

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and body.unread:
                MutableHeaders(scope=message)["Connection"] = "close"
            if message["type"] == "http.response.body" and not message.get("more_body") and body.unread:
                await send({**message, "more_body": True})
                await body.drop()
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, body.receive, closing)


class _Body:
    def __init__(self, scope: Scope, receive: Receive, idle: float, slowest: int) -> None:
        self._receive, self._idle, self._slowest = receive, idle, slowest
        headers = Headers(scope=scope)
        self._ended = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
        self._invited = "100-continue" not in headers.get("expect", "").lower()
        self._came = 0
        self._waited = 0.0

    @property
    def unread(self) -> bool:
        """Bytes are under way that nobody asked for any more."""
        return self._invited and not self._ended

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()
        self._invited = True
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._idle):
                message = await self._receive()
        except TimeoutError:
            raise self._cut() from None
        self._note(message)
        self._came += len(message.get("body", b""))
        self._waited += time.monotonic() - began
        if self._waited >= self._idle:
            if self._came < self._slowest * self._waited and not self._ended:
                raise self._cut()
            self._came, self._waited = 0, 0.0
        return message

    async def drop(self) -> None:
        try:
            async with asyncio.timeout(LINGER):
                while not self._ended:
                    self._note(await self._receive())
        except TimeoutError:
            return

    def _note(self, message: Message) -> None:
        self._ended = message["type"] == "http.disconnect" or not message.get("more_body", False)

    def _cut(self) -> Problem:
        self._ended = True  # nothing lingers for one who sends nothing
        return Problem(
            408,
            "too_slow",
            "The request arrived too slowly and was cut; please try again.",
            headers={"Connection": "close"},
        )
