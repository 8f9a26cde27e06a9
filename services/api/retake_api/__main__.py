"""`python -m retake_api`: the HTTP service, one process, until SIGTERM.

Settings are read, everything is opened, the app is made of it, uvicorn serves it; then all is closed in turn.
"""

import asyncio
import os
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn
import uvloop

from retake.blobs.bucket import open_blobs
from retake.blobs.errors import BlobError
from retake.entry import enter
from retake.health import Check, Health, serve
from retake.settings import Api, Bucket, Clock, Nats, Observe, Postgres, SettingsError, Storage, Uploads, Webhooks
from retake.store import schema
from retake.store.connect import Database, Unavailable, open_database
from retake.store.outstanding import depth
from retake.store.schema import SchemaMisfit
from retake.store.signing_keys import signing_key
from retake.store.workspaces import ensure_workspace
from retake_api.app import Tools, create_app
from retake_api.auth import Access
from retake_api.dispatch import Dispatch
from retake_api.figures import Figures
from retake_api.heads import bounded
from retake_api.keys import Keys
from retake_api.live import Live
from retake_api.login import Door
from retake_api.memory import give_back_what_is_freed
from retake_api.password import Password
from retake_api.signing import Signer
from retake_api.webhooks import Sender

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
    webhooks: Webhooks


async def open_access(api: Api, database: Database) -> tuple[Access, Door]:
    """Raises SettingsError when the file of API keys makes no sense."""
    key = await signing_key(database)
    signer, password = Signer(key), Password(api.password, key)
    keys = Keys(database, None if api.keys is None else Path(api.keys))
    try:
        await keys.load()
    except (OSError, ValueError) as error:
        raise SettingsError(f"RETAKE_API_KEYS names {api.keys!r}, which cannot be read: {error}.") from error
    access = Access(database, signer, keys, password.fingerprint)
    return access, Door(database, signer, password, await ensure_workspace(database, SHARED))


class Server(uvicorn.Server):
    """Waits for requests to end when it is told to stop; those that would not end by themselves are told, too."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    def handle_exit(self, _sig: int, _frame: FrameType | None) -> None:
        """Not its own, which would raise the signal once more at the end, before everything is closed."""
        self._live.close()
        self.should_exit = True


async def run(settings: Settings) -> None:
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(open_database(settings.postgres, name="retake-api"))
        await schema.awaited(database)
        blobs = await opened.enter_async_context(open_blobs(settings.bucket))
        holder = f"{socket.gethostname()}-{os.getpid()}"
        live = Live(database, settings.clock.timing())
        dispatch = Dispatch(database, settings.nats, settings.clock.timing(), holder, live)
        checks: dict[str, Check] = {
            "postgres": partial(schema.check, database),
            "storage": blobs.check,
            "queue": dispatch.check,
        }
        health = Health(checks, needed={"postgres", "storage"})
        pages = {"/queue": lambda: depth(database)}
        figures = Figures(database, settings.clock.timing(), settings.storage.cap, dispatch.messages)
        served = await serve(settings.observe.host, settings.observe.port, health, pages, figures.look)
        await opened.enter_async_context(served)
        access, door = await open_access(settings.api, database)
        tools = Tools(
            database=database,
            blobs=blobs,
            health=health,
            access=access,
            door=door,
            web=settings.api,
            limits=settings.uploads,
            timing=settings.clock.timing(),
            storage=settings.storage,
            wake=dispatch.wake,
            live=live,
            webhooks=settings.webhooks.secret is not None,
        )
        config = uvicorn.Config(
            create_app(tools),
            host=settings.api.host,
            port=settings.api.port,
            log_config=None,
            access_log=False,
            server_header=False,
            http=bounded(settings.uploads.head),
            proxy_headers=False,  # the app has its own, which believes nobody unless told
            timeout_graceful_shutdown=settings.api.grace,
        )
        handed = None if settings.api.socket is None else [socket.socket(fileno=settings.api.socket)]
        sender = Sender(database, settings.clock.timing(), settings.webhooks)
        tasks = [asyncio.create_task(one) for one in (dispatch.run(), sender.run(), Server(config, live).serve(handed))]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if not task.done():
                task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


def main() -> int:
    give_back_what_is_freed()
    ends = (Unavailable, SchemaMisfit, BlobError, SettingsError)
    return enter("api", Settings, lambda settings: uvloop.run(run(settings)), ends=ends)


if __name__ == "__main__":
    sys.exit(main())
