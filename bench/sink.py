"""A bare ASGI application on the server we use, that counts what it is sent: `python sink.py <port>`."""

import sys
from typing import Any

import uvicorn


async def count(scope: Any, receive: Any, send: Any) -> None:
    came, more = 0, scope["type"] == "http"
    while more:
        message = await receive()
        came += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(came).encode()})


if __name__ == "__main__":
    uvicorn.run(count, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False, lifespan="off")
