"""APIs that are killed where they are told to be: `python crashing_apis.py SOCKET KEY_LEASE [DEATHS]`.

They come up one after another on one listening socket, forked from a process that has imported all they need. A step is
a transaction that is about to commit, or just did, by the name of the store's function that makes it: `before accept`,
`after accept`; or an object that is about to be put, or just was: `before put`, `after put`. DEATHS is a list of steps,
each with a number: the next API dies when it comes to that step so many times, and after the last of them one lives.
Without it, each dies one step later than the one before, until one lives.
"""

import asyncio
import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

import uvicorn

from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.health import Health
from retake.settings import Api, Bucket, Postgres, Storage, Uploads, read
from retake.store.connect import Connection, Database, open_database
from retake_api.__main__ import open_access
from retake_api.app import Tools, create_app
from retake_api.live import Live

ANY = ""
PR_SET_PDEATHSIG = 1


class Death:
    def __init__(self, at: str, times: int) -> None:
        self._at, self._left = at, times

    def step(self, name: str) -> None:
        if self._at in (ANY, name):
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class Mortal(Database):
    def __init__(self, database: Database, death: Death) -> None:
        self._database, self._death = database, death

    @asynccontextmanager
    async def transaction(self, patience: float = 10) -> AsyncIterator[Connection]:
        name = _function_of_the_store()
        async with self._database.transaction(patience) as connection:
            yield connection
            self._death.step(f"before {name}")
        self._death.step(f"after {name}")


def _function_of_the_store() -> str:
    """That which is being run."""
    frame = sys._getframe()
    while not frame.f_globals["__name__"].startswith("retake.store."):
        assert frame.f_back is not None
        frame = frame.f_back
    return frame.f_code.co_name


class MortalBlobs(Blobs):
    death: Death

    async def put(self, key: str, data: bytes) -> None:
        self.death.step("before put")
        await super().put(key, data)
        self.death.step("after put")


async def serve(listening: socket.socket, lease: float, death: Death) -> None:
    async with open_database(read(Postgres), name="mortal") as database:
        blobs = MortalBlobs(read(Bucket), threads=2, timeout=10)
        blobs.death = death

        async def nobody() -> None:
            return None

        mortal, web = Mortal(database, death), read(Api)
        access, door = await open_access(web, database)
        timing = replace(Timing(), key_lease=lease)
        limits = replace(read(Uploads, {}), buffer_mib=1)  # pieces are small, so that a request brings several
        tools = Tools(
            database=mortal, blobs=blobs, health=Health({}), access=access, door=door, web=web, limits=limits,
            storage=read(Storage, {}), timing=timing, wake=nobody, live=Live(mortal, timing),
            webhooks=True,
        )  # fmt: skip
        config = uvicorn.Config(create_app(tools), log_config=None, access_log=False, lifespan="off")
        await uvicorn.Server(config).serve(sockets=[listening])


def deaths(told: str | None) -> Iterator[Death]:
    if told is None:
        return (Death(ANY, step) for step in count(1))
    return (Death(*one) for one in [*json.loads(told), ("never", 1)])


if __name__ == "__main__":
    place, key_lease = socket.socket(fileno=int(sys.argv[1])), float(sys.argv[2])
    for death in deaths(sys.argv[3] if len(sys.argv) > 3 else None):
        if not (child := os.fork()):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            asyncio.run(serve(place, key_lease, death))
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            break
