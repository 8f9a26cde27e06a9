"""How long the head of a request may take, and how much it may be: the server below bounds neither.

A connection that says nothing, or drips a head byte by byte, holds a socket for nothing. So a clock runs from the
connection, or from the first byte after an answer, to the end of a head; patience.py takes over where the body begins.
"""

import asyncio
import json
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST = 64 * 2**10


def bounded(seconds: float) -> type[asyncio.Protocol]:
    """HTTP/1.1 whose heads must be complete within so many seconds."""

    class Bounded(_Bounded):
        within = seconds

    return Bounded


class _Bounded(HttpToolsProtocol):
    within: float
    _clock: asyncio.TimerHandle | None = None
    _size = 0
    _answered = False
    """All that was asked for; the next byte begins a head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        if self._answered:
            self._begin()
        self._size += len(data)
        super().data_received(data)
        if self._clock is not None and self._size > MOST:
            self._cut(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"A request's head may have {MOST:,} bytes.")

    def on_headers_complete(self) -> None:
        self._answered = False
        self._end()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._answered = not self.pipeline
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """For what the parser cannot read."""
        self.transport.write(_refusal(HTTPStatus.BAD_REQUEST, msg))
        self.transport.close()

    def _begin(self) -> None:
        self._answered = False
        self._size = 0
        self._clock = self.loop.call_later(self.within, self._cut, HTTPStatus.REQUEST_TIMEOUT, _SLOW)

    def _end(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _cut(self, status: HTTPStatus, sentence: str) -> None:
        self._end()
        if self._size and not self.transport.is_closing():
            self.transport.write(_refusal(status, sentence))
        self.transport.close()


_SLOW = "The head of the request arrived too slowly; please try again."


def _refusal(status: HTTPStatus, sentence: str) -> bytes:
    code = status.name.lower()
    body = {"type": "about:blank", "title": status.phrase, "status": status, "detail": sentence, "code": code}
    content = json.dumps({**body, "error": sentence}).encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    return head.encode() + f"Content-Length: {len(content)}\r\n\r\n".encode() + content
