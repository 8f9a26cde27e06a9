"""APIs that are killed, each one step later than the one before: `python crashing_apis.py SOCKET KEY_LEASE`.

They come up one after another on one listening socket, forked from a process that has imported all they need. A step is
a transaction that is about to commit, or just did, or an object that is about to be put, or just was.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import uvicorn

from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.health import Health
from retake.settings import Api, Bucket, Postgres, Storage, Uploads, read
from retake.store.connect import Connection, Database, open_database
from retake_api.__main__ import open_access
from retake_api.app import Tools, create_app
from retake_api.live import Live


class Death:
    def __init__(self, at: int) -> None:
        self._left = at

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Database):
    def __init__(self, database: Database, death: Death) -> None:
        self._database, self._death = database, death

    @asynccontextmanager
    async def transaction(self, patience: float = 10) -> AsyncIterator[Connection]:
        async with self._database.transaction(patience) as connection:
            yield connection
            self._death.step()
        self._death.step()


class MortalBlobs(Blobs):
    death: Death

    async def put(self, key: str, data: bytes) -> None:
        self.death.step()
        await super().put(key, data)
        self.death.step()


async def serve(listening: socket.socket, lease: float, death: Death) -> None:
    async with open_database(read(Postgres), name="mortal") as database:
        blobs = MortalBlobs(read(Bucket), threads=2, timeout=10)
        blobs.death = death

        async def nobody() -> None:
            return None

        mortal, web = Mortal(database, death), read(Api)
        access, door = await open_access(web, database)
        timing = replace(Timing(), key_lease=lease)
        tools = Tools(
            database=mortal, blobs=blobs, health=Health({}), access=access, door=door, web=web,
            limits=read(Uploads, {}), storage=read(Storage, {}), timing=timing, wake=nobody, live=Live(mortal, timing),
            webhooks=True,
        )  # fmt: skip
        config = uvicorn.Config(create_app(tools), log_config=None, access_log=False, lifespan="off")
        await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    place, key_lease = socket.socket(fileno=int(sys.argv[1])), float(sys.argv[2])
    step, status = 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        step += 1
        if not (child := os.fork()):
            asyncio.run(serve(place, key_lease, Death(step)))
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
