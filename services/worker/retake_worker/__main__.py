"""`python -m retake_worker`: a worker until SIGTERM."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack

from retake import logs
from retake.health import Health, serve
from retake.settings import Observe, Postgres, SettingsError, read
from retake.store.connect import Unavailable, open_database


async def run(observe: Observe, postgres: Postgres) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(open_database(postgres, name="retake-worker"))
        health = Health({"postgres": database.check})
        await opened.enter_async_context(await serve(observe.host, observe.port, health))
        await stopping.wait()


def main() -> int:
    try:
        observe, postgres = read(Observe), read(Postgres)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("worker", observe.log_level)
    try:
        asyncio.run(run(observe, postgres))
    except Unavailable as error:
        logs.logger("retake_worker").error("not started", error=str(error))
        return 1
    return 0


sys.exit(main())
