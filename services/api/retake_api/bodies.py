"""Small request bodies, read whole: JSON objects, never more of them than fits a screen."""

import json
from typing import Any

from fastapi import Request

from retake_api.problems import Problem

_MOST = 64 * 2**10


async def json_object(request: Request) -> dict[str, Any]:
    """Raises Problem 400 for anything that is not a JSON object, and 413 for what is too long to be one."""
    came = bytearray()
    async for piece in request.stream():
        came += piece
        if len(came) > _MOST:
            raise Problem(413, "body_too_large", f"The request body may have {_MOST} bytes here.")
    try:
        found = json.loads(came)
    except (ValueError, RecursionError):
        raise Problem(400, "invalid_json", "The request body must be a JSON object.") from None
    if not isinstance(found, dict):
        raise Problem(400, "invalid_json", "The request body must be a JSON object.")
    return found
