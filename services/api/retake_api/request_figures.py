"""Requests in figures: how many, how long until the first byte and the last, how many bytes each way.

Whatever a client makes up, the labels stay few: the route is the one that was found for it, not its path, and a method
that HTTP does not know is `OTHER`.
"""

import time
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retake import metrics
from retake_api.request_log import METHODS

_LEFT = 499


class RequestFigures:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        received = sent = 0
        status, first = _LEFT, None

        async def counted_in() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def counted_out(message: Message) -> None:
            nonlocal sent, status, first
            if message["type"] == "http.response.start":
                status, first = message["status"], time.perf_counter()
            await send(message)
            sent += len(message.get("body", b""))

        metrics.HTTP_UNDER_WAY.inc()
        try:
            await self._app(scope, counted_in, counted_out)
        finally:
            metrics.HTTP_UNDER_WAY.dec()
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            route = getattr(scope.get("route"), "path", "other")
            _answered(method, route, status).inc()
            seconds, first_byte, bytes_in, bytes_out = _figures(method, route)
            seconds.observe(time.perf_counter() - began)
            if first is not None:
                first_byte.observe(first - began)
            bytes_in.inc(received)
            bytes_out.inc(sent)


@cache
def _answered(method: str, route: str, status: int) -> Counter:
    return metrics.HTTP_REQUESTS.labels(method, route, status)


@cache
def _figures(method: str, route: str) -> tuple[Histogram, Histogram, Counter, Counter]:
    """Of all requests to the route: seconds, seconds to the first byte, bytes in, bytes out."""
    return (
        metrics.HTTP_SECONDS.labels(method, route),
        metrics.HTTP_FIRST_BYTE.labels(method, route),
        metrics.HTTP_RECEIVED.labels(method, route),
        metrics.HTTP_SENT.labels(method, route),
    )
