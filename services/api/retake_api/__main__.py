"""`python -m retake_api`: the HTTP service, one process, until SIGTERM.

Settings are read, everything is opened, the app is made of it, uvicorn serves it; then all is closed in turn.
"""

import asyncio
import sys
from contextlib import AsyncExitStack

import uvicorn
import uvloop

from retake import logs
from retake.health import Health, serve
from retake.settings import Api, Observe, Postgres, SettingsError, read
from retake.store.connect import Unavailable, open_database
from retake_api.app import create_app


async def run(api: Api, observe: Observe, postgres: Postgres) -> None:
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(open_database(postgres, name="retake-api"))
        health = Health({"postgres": database.check})
        await opened.enter_async_context(await serve(observe.host, observe.port, health))
        config = uvicorn.Config(
            create_app(health, needed=frozenset({"postgres", "storage"})),
            host=api.host,
            port=api.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        await uvicorn.Server(config).serve()


def main() -> int:
    try:
        api, observe, postgres = read(Api), read(Observe), read(Postgres)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("api", observe.log_level)
    try:
        uvloop.run(run(api, observe, postgres))
    except Unavailable as error:
        logs.logger("retake_api").error("not started", error=str(error))
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 0
    return 0


sys.exit(main())
