"""Each request is a span, below the one that its `traceparent` names. Only there while traces are on.

FastAPI has spans of its own, which are off: they would show query strings, and with them signed links.
"""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retake import tracing
from retake_api.request_log import METHODS, PROBES


class Traced:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with tracing.span(method, parent=_given(scope), kind="server", **{"http.request.method": method}) as span:
            try:
                await self._app(scope, receive, noting)
            finally:
                route = getattr(scope.get("route"), "path", None)
                span.rename(f"{method} {route}" if route else method)
                span.tell(
                    request=scope.get("state", {}).get("request_id"),
                    job=structlog.contextvars.get_contextvars().get("job"),
                    **{"http.route": route, "url.path": scope["path"][:200], "http.response.status_code": status},
                )
                if status >= 500:
                    span.fail(str(status))


def _given(scope: Scope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
