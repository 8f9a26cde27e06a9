"""A janitor's chores, in a process that stops itself (SIGSTOP) just before it deletes its first object, and goes on
when it is woken. Its settings are those of any janitor."""

import asyncio
import os
import signal
from collections.abc import Iterable

from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.settings import Bucket, Postgres, read
from retake.store.connect import open_database
from retake_janitor import orphan_objects, purge, sources


class Pausing(Blobs):
    paused = False

    async def delete_many(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        if keys and not self.paused:
            self.paused = True
            os.kill(os.getpid(), signal.SIGSTOP)
        await super().delete_many(keys)


async def run() -> None:
    blobs = Pausing(read(Bucket), threads=2, timeout=10)
    async with open_database(read(Postgres), name="pausing") as database:
        await purge.run_once(database, blobs)
        await sources.run_once(database, blobs)
        await orphan_objects.run_once(database, blobs, Timing())
    blobs.close()


asyncio.run(run())
