"""The outermost layer: every request has an id, on its answer and on every log line below it, and one line at its end.

Also the last resort: what nobody handled becomes a problem document here.
"""

import re
import time
from secrets import token_hex

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retake_api import problems

log = structlog.stdlib.get_logger(__name__)

_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")
PROBES = frozenset({"/api/health", "/livez", "/readyz"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""What is told apart in figures and traces; a client may make up others without end."""


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        request = Request(scope)
        request.state.request_id = request_id = _id_of(scope)
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, receive, named)
            except Exception as error:
                if status:
                    raise
                await problems.broken(request, error)(scope, receive, named)
            finally:
                (log.debug if scope["path"] in PROBES else log.info)(
                    "request",
                    method=scope["method"],
                    route=getattr(scope.get("route"), "path", None),
                    path=scope["path"][:200],
                    status=status,
                    seconds=round(time.monotonic() - began, 4),
                )


def _id_of(scope: Scope) -> str:
    """The one a proxy gave it, if that can be trusted in a log; else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN.fullmatch(value):
            return str(value, "ascii")
    return token_hex(8)
