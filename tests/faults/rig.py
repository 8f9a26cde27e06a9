"""A whole installation of one's own to break: durable servers, APIs and workers as real processes, started again at
once when they die, in a data folder with their logs. What a test looks at, it sees over connections of its own.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from retake.blobs.bucket import Blobs, open_blobs
from retake.bus.connection import Bus, open_bus
from retake.domain.timing import Timing
from retake.settings import Bucket, Nats, Postgres, read
from retake.store.connect import Database, open_database
from retake.store.migrate import migrate
from retake.store.workspaces import ensure_workspace
from retake_local import folder
from retake_local.child import Child, Program
from retake_local.servers import free_port, http_status
from retake_local.up import Servers, worker

SERVERS = ("postgres", "nats", "s3")
_HERE = Path(__file__).parent
_WORKER = _HERE / "crashing_worker.py"


@dataclass(frozen=True)
class Size:
    """What a rig is made of."""

    scale: float = 0.05
    apis: int = 2
    slots: Sequence[int] = (1, 1, 2)  # one worker each; fewer than there are parts, so that some are always told of
    worker: Path = _WORKER
    pause: float = 0.06  # how long such a worker's take takes at least


class _Restless(Servers):
    """Its servers are started again at once, and nobody is told but a log."""

    async def _start(self, program: Program) -> None:
        child = _restless(program, self._data)
        self.children.append(child)
        await child.start()


def _restless(program: Program, data: Path) -> Child:
    def say(words: str) -> None:
        with (data / "logs" / "rig.log").open("a") as log:
            log.write(f"{datetime.now(UTC):%H:%M:%S.%f} {words}\n")

    return Child(replace(program, rest=0.1), data / "logs", say)


def nursery(data: Path) -> Program:
    """Services are forked from it."""
    return Program("nursery", [sys.executable, _HERE / "nursery.py", data / "nursery"], ready=partial(_exists, data))


async def _exists(data: Path) -> bool:
    return (data / "nursery").is_socket()


def forked(data: Path, program: str | Path) -> list[str | Path]:
    return [sys.executable, "-I", "-S", _HERE / "stub.py", data / "nursery", program]


class Eyes:
    """Reads rows over a connection made anew whenever Postgres was away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.AsyncConnection[dict[str, Any]] | None = None
        self._looking = asyncio.Lock()

    async def see(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        async with self._looking:
            while True:
                try:
                    return await self._look(statement, values)
                except psycopg.OperationalError:
                    await self.close()
                    await asyncio.sleep(0.05)

    async def _look(self, statement: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, row_factory=dict_row, connect_timeout=2
            )
        rows = await self._connection.execute(statement.encode(), values)
        return await rows.fetchall() if rows.description else []

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


class Rig:
    database: Database
    blobs: Blobs
    bus: Bus
    eyes: Eyes

    def __init__(self, data: Path, size: Size) -> None:
        self.data, self.size, self.timing = folder.prepare(str(data)), size, Timing.scaled(size.scale)
        self.scratch, self.orders = self.data / "scratch", self.data / "orders"
        self.children: dict[str, Child] = {}
        self.environment: dict[str, str] = {}
        self.workspaces: list[Any] = []
        self._servers = _Restless(self.data, {})
        self._nursery = _restless(nursery(self.data), self.data)
        self._opened = AsyncExitStack()

    @property
    def apis(self) -> list[Child]:
        return [child for name, child in self.children.items() if name.startswith("api")]

    @property
    def workers(self) -> list[Child]:
        return [child for name, child in self.children.items() if name.startswith("worker")]

    async def start(self) -> None:
        addresses, _ = await asyncio.gather(self._servers.start(), self._nursery.start())
        self.children = {child.program.name: child for child in self._servers.children}
        await migrate(addresses.database_url)
        self.scratch.mkdir()
        self.orders.mkdir()
        self.environment = {
            **addresses.environment(),
            "RETAKE_PASSWORD": "shared",
            "RETAKE_SCRATCH": str(self.scratch),
            "RETAKE_TIME_SCALE": str(self.size.scale),
            "FAULT_ORDERS": str(self.orders),
            "FAULT_PAUSE": str(self.size.pause),
        }
        programs = [self._api(number) for number in range(1, self.size.apis + 1)]
        programs += [self._worker(number, slots) for number, slots in enumerate(self.size.slots, 1)]
        services = [_restless(program, self.data) for program in programs]
        self.children |= {child.program.name: child for child in services}
        await asyncio.gather(self._look(), *(child.start() for child in services))

    def _api(self, number: int) -> Program:
        metrics = free_port()
        env = {
            **self.environment,
            "RETAKE_API_HOST": "127.0.0.1",
            "RETAKE_API_PORT": str(free_port()),
            "RETAKE_METRICS_HOST": "127.0.0.1",
            "RETAKE_METRICS_PORT": str(metrics),
        }
        ready = partial(http_status, metrics, "/readyz", lambda status: status == 200)
        return Program(f"api-{number}", forked(self.data, "retake_api"), ready, env=env, grace=2.0)

    def _worker(self, number: int, slots: int) -> Program:
        program = worker(self.environment, number)
        env = {**program.env, "RETAKE_WORKER_SLOTS": str(slots)}
        return replace(program, argv=forked(self.data, self.size.worker), env=env)

    async def _look(self) -> None:
        known = {name: value for name, value in self.environment.items() if name.startswith("RETAKE_")}
        postgres = read(Postgres, known)
        self.eyes = Eyes(postgres.url)
        self._opened.push_async_callback(self.eyes.close)
        self.database = await self._opened.enter_async_context(open_database(postgres, name="rig"))
        self.blobs = await self._opened.enter_async_context(open_blobs(read(Bucket, known)))
        self.bus = await self._opened.enter_async_context(open_bus(read(Nats, known), self.timing, name="rig"))
        self.workspaces = [await ensure_workspace(self.database, name) for name in ("one", "two")]

    async def stop(self) -> None:
        for child in self.children.values():
            self.signal(child, signal.SIGCONT)
        services = [child for name, child in self.children.items() if name not in SERVERS]
        await asyncio.gather(*(child.stop() for child in services))
        await self._opened.aclose()
        await asyncio.gather(self._servers.stop(), self._nursery.stop())

    def signal(self, child: Child, number: signal.Signals) -> bool:
        """To all of its processes; False when there are none."""
        with contextlib.suppress(ProcessLookupError):
            if (pid := child.pid) is not None:
                os.killpg(pid, number)
                return True
        return False

    def withdraw_orders(self) -> None:
        """Those that nobody signed."""
        for order in self.orders.iterdir():
            if "-" not in order.name:
                order.unlink(missing_ok=True)

    async def is_up(self) -> bool:
        """Every process runs, and its event loop turns."""
        ports = [int(child.program.env["RETAKE_METRICS_PORT"]) for child in (*self.apis, *self.workers)]
        if not all(child.up for child in self.children.values()):
            return False
        return all(await asyncio.gather(*(http_status(port, "/livez", lambda status: status == 200) for port in ports)))


@asynccontextmanager
async def rigged(data: Path, size: Size) -> AsyncIterator[Rig]:
    rig = Rig(data, size)
    try:
        await rig.start()
        yield rig
    finally:
        await rig.stop()
