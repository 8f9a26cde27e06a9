"""`make run`: the whole of retake on this machine, as the children of one foreground process.

Up:    lock the data folder -> servers in parallel -> migrations -> API and workers -> one line with URL and password.
While: a part that dies is started again; the janitor runs every five minutes; logs are kept small.
Down:  API, workers and janitor first, then the servers, within five seconds. If this process is killed, the kernel
       ends the children (leash.py). Everything lives in the data folder and is there at the next start.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from retake.settings import Bucket, Laptop, Nats, Postgres, read
from retake.store.migrate import migrate
from retake_local import folder, servers
from retake_local.child import Child, Program, spawn, trim
from retake_local.folder import Credentials, Refused
from retake_local.servers import Addresses, free_port

_JANITOR_EVERY = 300.0
_HOST = "127.0.0.1"


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  this process talks to a person at a terminal


def listen(asked: int | None) -> socket.socket:
    """The socket of the API, held by this process from the first moment: nobody else can take the port meanwhile, and
    requests wait in it while the API is started again."""
    for port in [asked] if asked is not None else [8080, free_port()]:
        try:
            return socket.create_server((_HOST, port), backlog=512)
        except OSError:
            continue
    raise Refused(f"Port {asked} was asked for (RETAKE_PORT) and is taken: free it, or leave the choice to retake.")


class Servers:
    """The servers this run needs of its own: those whose address was not given."""

    def __init__(self, data: Path, environ: Mapping[str, str], *, durable: bool = True) -> None:
        self._data, self._environ, self._durable = data, environ, durable
        self._credentials = Credentials.kept_in(data)
        self.children: list[Child] = []

    async def start(self) -> Addresses:
        """All at once, each asked until it is ready."""
        database, nats, bucket = await asyncio.gather(self._postgres(), self._nats(), self._s3())
        return Addresses(database, nats, *bucket)

    async def stop(self) -> None:
        await asyncio.gather(*(child.stop() for child in self.children))

    async def _start(self, program: Program) -> None:
        child = Child(program, self._data / "logs", say)
        self.children.append(child)
        await child.start()

    async def _postgres(self) -> str:
        if self._environ.get("RETAKE_DATABASE_URL"):
            return read(Postgres, self._environ).url
        user = await servers.prepare_postgres(self._data, self._credentials.database)
        program, url = servers.postgres(
            self._data, self._credentials.database, free_port(), user, durable=self._durable
        )
        await self._start(program)
        return url

    async def _nats(self) -> str:
        if self._environ.get("RETAKE_NATS_URL"):
            return read(Nats, self._environ).url
        program, url = servers.nats(self._data, self._credentials.nats, free_port(), free_port())
        await self._start(program)
        return url

    async def _s3(self) -> tuple[str, str, str]:
        if self._environ.get("RETAKE_S3_ENDPOINT"):
            bucket = read(Bucket, self._environ)
            return bucket.endpoint, bucket.access_key, bucket.secret_key
        keys = self._credentials.s3_access_key, self._credentials.s3_secret_key
        program, endpoint = servers.s3(self._data, *keys, free_port())
        await self._start(program)
        return endpoint, *keys


def api(environment: Mapping[str, str], listening: socket.socket) -> Program:
    """Ready for people is more than for a probe: the queue works, too."""
    metrics, port = free_port(), listening.getsockname()[1]
    env = {
        **environment,
        "RETAKE_API_SOCKET": str(listening.fileno()),
        "RETAKE_METRICS_HOST": _HOST,
        "RETAKE_METRICS_PORT": str(metrics),
    }
    return Program(
        "api",
        [sys.executable, "-m", "retake_api"],
        ready=lambda: servers.http_status(port, "/api/health", lambda status: status == 200),
        env=env,
        sockets=[listening],
        grace=2.0,
    )


def worker(environment: Mapping[str, str], number: int) -> Program:
    metrics = free_port()
    env = {
        **environment,
        "RETAKE_WORKER_NAME": f"worker-{number}",
        "RETAKE_METRICS_HOST": _HOST,
        "RETAKE_METRICS_PORT": str(metrics),
    }
    return Program(
        f"worker-{number}",
        [sys.executable, "-m", "retake_worker"],
        ready=lambda: servers.http_status(metrics, "/readyz", lambda status: status == 200),
        env=env,
        grace=2.0,
    )


def share(workers: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Of this machine, for each worker: one part at once, since there is one for each core, and its part of memory."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    wanted = {"RETAKE_WORKER_SLOTS": "1", "RETAKE_WORKER_MEMORY_MIB": str(max(64, memory // max(1, workers)))}
    return {name: value for name, value in wanted.items() if name not in environ and f"{name}_FILE" not in environ}


class Retake:
    """Everything that runs, and the state file `make status` reads."""

    def __init__(self, data: Path, settings: Laptop, environ: Mapping[str, str]) -> None:
        self._data, self._settings, self._environ = data, settings, environ
        self._servers = Servers(data, environ)
        self._services: list[Child] = []
        self._stack = ExitStack()
        self.environment: dict[str, str] = {}
        self.url = ""

    @property
    def children(self) -> list[Child]:
        return [*self._servers.children, *self._services]

    async def live(self) -> None:
        """Until cancelled."""
        password = await self.start()
        self.write_state()
        say(f"retake is up: {self.url}  password: {password}")
        await asyncio.gather(self.look_after(), self.janitor())

    async def start(self) -> str:
        """Everything up and answering; returns the password."""
        listening = self._stack.enter_context(listen(self._settings.port))
        password = folder.kept_password(self._data, self._environ)
        say(f"starting retake on {self._data} ...")
        self.write_state()
        cap = folder.storage_cap(self._data, self._environ)
        addresses = await self._servers.start()
        await migrate(addresses.database_url)
        scratch = self._data / "scratch"
        scratch.mkdir(exist_ok=True)
        count = len(os.sched_getaffinity(0)) if self._settings.workers is None else self._settings.workers
        self.environment = {
            **addresses.environment(),
            "RETAKE_PASSWORD": password,
            "RETAKE_SCRATCH": str(scratch),
            "RETAKE_WEBHOOK_SECRET": folder.kept_webhook_secret(self._data),
            "RETAKE_WEBHOOK_NETWORKS": "127.0.0.0/8, ::1/128",  # receivers are tried out on the same machine
            **cap,
            **share(count, self._environ),
        }
        self.url = f"http://{_HOST}:{listening.getsockname()[1]}"
        programs = [api(self.environment, listening), *(worker(self.environment, n) for n in range(1, count + 1))]
        self._services = [Child(program, self._data / "logs", say) for program in programs]
        await asyncio.gather(*(child.start() for child in self._services))
        folder.write_secret(self._data / "environment.json", json.dumps(self.environment))
        return password

    async def stop(self) -> None:
        await asyncio.gather(*(child.stop() for child in self._services))
        await self._servers.stop()
        self._stack.close()
        (self._data / "state.json").unlink(missing_ok=True)

    async def look_after(self) -> None:
        """Until cancelled: logs stay small and the state file says what is so."""
        while True:
            for log in (self._data / "logs").glob("*.log"):
                trim(log)
            self.write_state()
            await asyncio.sleep(1)

    def write_state(self) -> None:
        parts = [
            {"name": child.program.name, "pid": child.pid, "up": child.up, "restarts": child.restarts}
            for child in self.children
        ]
        text = json.dumps({"pid": os.getpid(), "url": self.url, "parts": parts})
        place = self._data / "state.json"
        if not place.exists() or place.read_text() != text:
            folder.write_secret(place, text)

    async def janitor(self) -> None:
        """Until cancelled: one pass now and every five minutes, never two at once."""
        while True:
            started = time.monotonic()
            with (self._data / "logs" / "janitor.log").open("ab") as log:
                process = await spawn([sys.executable, "-m", "retake_janitor"], log, env=self.environment)
                try:
                    async with asyncio.timeout(_JANITOR_EVERY):
                        code = await process.wait()
                except (TimeoutError, asyncio.CancelledError) as stopped:
                    process.kill()
                    await process.wait()
                    if isinstance(stopped, asyncio.CancelledError):
                        raise
                    code = process.returncode or 0
            if code:
                say(f"the janitor's pass failed (exit {code}); {self._data}/logs/janitor.log says why")
            await asyncio.sleep(max(0.0, _JANITOR_EVERY - (time.monotonic() - started)))


async def run(environ: Mapping[str, str]) -> int:
    """The foreground process, from first look to last goodbye; returns its exit code."""
    settings = read(Laptop, environ)
    data = folder.prepare(settings.data)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with folder.locked(data):
        retake = Retake(data, settings, environ)
        try:
            await _until(stopping, retake.live())
        finally:
            await retake.stop()
    say("stopped")
    return 0


async def _until(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Runs the work until it fails, which is raised here, or somebody wants to stop."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(stopping.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not working.done():
        say("stopping ...")
        working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        return
