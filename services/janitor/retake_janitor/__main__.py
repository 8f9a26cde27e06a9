"""`python -m retake_janitor`: one pass of chores, then exit. A CronJob, or `make run`, starts it every five minutes."""

import asyncio
import sys

from retake import logs
from retake.settings import Observe, Postgres, SettingsError, read
from retake.store.connect import Unavailable, open_database
from retake.store.janitor_runs import begin_run, end_run


async def run(postgres: Postgres) -> dict[str, int]:
    async with open_database(postgres, name="retake-janitor") as database:
        number = await begin_run(database)
        counts: dict[str, int] = {}
        await end_run(database, number, counts)
        return counts


def main() -> int:
    try:
        observe, postgres = read(Observe), read(Postgres)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("janitor", observe.log_level)
    log = logs.logger("retake_janitor")
    try:
        log.info("pass done", **asyncio.run(run(postgres)))
    except Unavailable as error:
        log.error("pass not done", error=str(error))
        return 1
    return 0


sys.exit(main())
