"""`python -m retake_api`: the HTTP service, one process, until SIGTERM.

Settings are read, everything is opened, the app is made of it, uvicorn serves it; then all is closed in turn.
"""

import asyncio
import os
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import FrameType

import uvicorn
import uvloop

from retake.blobs.bucket import open_blobs
from retake.blobs.errors import BlobError
from retake.entry import enter
from retake.health import Health, serve
from retake.settings import Api, Bucket, Clock, Nats, Observe, Postgres, Storage, Uploads
from retake.store.connect import Unavailable, open_database
from retake.store.workspaces import ensure_workspace
from retake_api.app import Tools, create_app
from retake_api.dispatch import Dispatch
from retake_api.live import Live

SHARED = "default"
"""The workspace of everybody who knows the shared password."""


@dataclass(frozen=True)
class Settings:
    api: Api
    uploads: Uploads
    storage: Storage
    observe: Observe
    postgres: Postgres
    bucket: Bucket
    nats: Nats
    clock: Clock


class Server(uvicorn.Server):
    """Waits for requests to end when it is told to stop; those that would not end by themselves are told, too."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._live.close()
        super().handle_exit(sig, frame)


async def run(settings: Settings) -> None:
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(open_database(settings.postgres, name="retake-api"))
        blobs = await opened.enter_async_context(open_blobs(settings.bucket))
        holder = f"{socket.gethostname()}-{os.getpid()}"
        live = Live(database, settings.clock.timing())
        dispatch = Dispatch(database, settings.nats, settings.clock.timing(), holder, live)
        health = Health({"postgres": database.check, "storage": blobs.check, "queue": dispatch.check})
        await opened.enter_async_context(await serve(settings.observe.host, settings.observe.port, health))
        tools = Tools(
            database=database,
            blobs=blobs,
            health=health,
            needed=frozenset({"postgres", "storage"}),
            password=settings.api.password,
            workspace=await ensure_workspace(database, SHARED),
            limits=settings.uploads,
            timing=settings.clock.timing(),
            storage=settings.storage,
            wake=dispatch.wake,
            live=live,
        )
        config = uvicorn.Config(
            create_app(tools),
            host=settings.api.host,
            port=settings.api.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        handed = None if settings.api.socket is None else [socket.socket(fileno=settings.api.socket)]
        serving = asyncio.create_task(Server(config, live).serve(handed))
        dispatching = asyncio.create_task(dispatch.run())
        await asyncio.wait({serving, dispatching}, return_when=asyncio.FIRST_COMPLETED)
        for task in (dispatching, serving):
            if not task.done():
                task.cancel()
        for ended in await asyncio.gather(dispatching, serving, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def main() -> int:
    return enter("api", Settings, lambda settings: uvloop.run(run(settings)), ends=(Unavailable, BlobError))


if __name__ == "__main__":
    sys.exit(main())
