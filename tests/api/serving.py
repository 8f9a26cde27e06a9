"""An app on a real server and a free port, in this process; and the object store seen from beside it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from conftest import eventually
from retake.blobs.bucket import Blobs
from retake_api.heads import bounded


@asynccontextmanager
async def served(app: FastAPI, head: float = 20, window: int | None = None) -> AsyncIterator[str]:
    """Its address; with the settings of `python -m retake_api`. `window` is how many bytes a connection may hold for a
    client that does not read."""
    listening = socket.create_server(("127.0.0.1", 0))
    if window is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, window)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=bounded(head),
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


class Watched(Blobs):
    """Counts the streams that are open and the bytes that were read."""

    open = 0
    read = 0

    @asynccontextmanager
    async def stream(self, *what: Any, **how: Any) -> AsyncIterator[AsyncIterator[bytes]]:
        async with super().stream(*what, **how) as pieces:
            self.open += 1
            try:
                yield self._counted(pieces)
            finally:
                self.open -= 1

    async def _counted(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            self.read += len(piece)
            yield piece
