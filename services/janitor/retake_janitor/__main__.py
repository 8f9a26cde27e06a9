"""`python -m retake_janitor`: one pass of chores, then exit. A CronJob, or `make run`, starts it every five minutes."""

import asyncio
import os
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass

from retake import logs
from retake.blobs.bucket import open_blobs
from retake.blobs.errors import BlobError
from retake.entry import enter
from retake.settings import Bucket, Clock, Nats, Observe, Postgres
from retake.store.connect import Unavailable, open_database
from retake.store.janitor_runs import begin_run, end_run
from retake_janitor import announce, expire, purge, rescue, sources

log = logs.logger(__name__)


@dataclass(frozen=True)
class Settings:
    observe: Observe
    postgres: Postgres
    bucket: Bucket
    nats: Nats
    clock: Clock


async def run(settings: Settings) -> dict[str, int]:
    """Each chore is idempotent and safe beside another janitor's; its count is what it did."""
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(open_database(settings.postgres, name="retake-janitor"))
        blobs = await opened.enter_async_context(open_blobs(settings.bucket))
        timing = settings.clock.timing()
        number = await begin_run(database)
        counts = {
            "rescued": await rescue.run_once(database, timing),
            "announced": await announce.run_once(
                database, settings.nats, timing, f"janitor-{socket.gethostname()}-{os.getpid()}"
            ),
            "expired": await expire.run_once(database),
            "purged": await purge.run_once(database, blobs),
            "sources": await sources.run_once(database, blobs),
        }
        await end_run(database, number, counts)
        log.info("pass done", **counts)
        return counts


def main() -> int:
    return enter("janitor", Settings, lambda settings: asyncio.run(run(settings)), ends=(Unavailable, BlobError))


if __name__ == "__main__":
    sys.exit(main())
