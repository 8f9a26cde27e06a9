"""Small request bodies, read whole: JSON objects, never more of them than fits a screen."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from retake_api.problems import Problem

_MOST = 64 * 2**10


async def json_object(request: Request) -> dict[str, Any]:
    """Raises Problem 400 for anything that is not a JSON object, and 413 for what is too long to be one."""
    came = bytearray()
    async for piece in request.stream():
        came += piece
        if len(came) > _MOST:
            raise _too_large()
    try:
        found = json.loads(came)
    except (ValueError, RecursionError):
        raise Problem(400, "invalid_json", "The request body must be a JSON object.") from None
    if not isinstance(found, dict):
        raise Problem(400, "invalid_json", "The request body must be a JSON object.")
    return found


async def may_be_json_object(request: Request) -> dict[str, Any]:
    """The same where no body at all is one, too: the object without anything in it."""
    bare = request.headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in request.headers
    return {} if bare else await json_object(request)


class SmallBodies(APIRoute):
    """A route whose body the framework reads: no more of it than of those above."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def bounded(request: Request) -> Response:
            came = 0

            async def receive() -> Message:
                nonlocal came
                message = await request.receive()
                came += len(message.get("body", b""))
                if came > _MOST:
                    raise _too_large()
                return message

            return await handler(Request(request.scope, receive))

        return bounded


def _too_large() -> Problem:
    return Problem(413, "body_too_large", f"The request body may have {_MOST} bytes here.")
