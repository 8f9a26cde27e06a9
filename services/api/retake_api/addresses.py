"""Addresses in answers, as the client knows them: below the path prefix, should there be one.

A proxy may hand on requests with the prefix or strip it; both arrive at the same routes.
"""

from contextvars import ContextVar

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_prefix: ContextVar[str] = ContextVar("prefix", default="")
"""Of the request that is being answered."""


class PathPrefix:
    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._prefix:
            path = scope["path"]
            if path == self._prefix:
                path += "/"
            elif not path.startswith(f"{self._prefix}/"):
                path = self._prefix + path
            scope = {**scope, "path": path, "root_path": self._prefix}
            _prefix.set(self._prefix)
        await self._app(scope, receive, send)


def address(path: str) -> str:
    """Of `/api/...`, as it stands in `Location` and in bodies."""
    return _prefix.get() + path


def origin(request: Request) -> str:
    """Scheme and host this request came to, as a trusted proxy tells them."""
    return f"{request.url.scheme}://{request.url.netloc}"
