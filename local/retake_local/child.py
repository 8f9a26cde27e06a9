"""One child process that is kept alive: started, asked until it is ready, restarted with back-off, stopped.

Children are started from the event loop's thread only: the kernel ties "die with your parent" to the thread that
forked (leash.py).
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_LEASH = Path(__file__).with_name("leash.py")
LOG_SIZE = 16 * 2**20
_BACKOFF_FIRST, _HEALTHY = 0.2, 30.0
_TRIES_AT_START = 5

Say = Callable[[str], None]
Ready = Callable[[], Awaitable[bool]]


class ChildError(Exception):
    """A part did not come up; the text names it, says how it ended and shows the end of its log."""


@dataclass(frozen=True)
class Program:
    """What to run and how to treat it."""

    name: str
    argv: Sequence[str | Path]
    ready: Ready
    env: Mapping[str, str] = field(default_factory=dict)
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGKILL  # what the kernel sends when the parent is gone
    user: str = "-"
    keep: str = "-"
    sockets: Sequence[socket.socket] = ()  # that it inherits, already listening
    grace: float = 3.0
    patience: float = 30.0
    rest: float = 10.0  # the longest pause before it is started again


async def spawn(
    argv: Sequence[str | Path],
    output: IO[bytes] | int,
    *,
    env: Mapping[str, str],
    orphaned: signal.Signals = signal.SIGKILL,
    user: str = "-",
    keep: str = "-",
    sockets: Sequence[socket.socket] = (),
) -> asyncio.subprocess.Process:
    """Starts a program on the leash, its standard output and error going to one place."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", _LEASH, str(os.getpid()), str(int(orphaned)), user, keep, *argv,
        stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=asyncio.subprocess.STDOUT, env={**os.environ, **env},
        pass_fds=[inherited.fileno() for inherited in sockets],
    )  # fmt: skip


def trim(log: Path) -> None:
    """A log that grew past its size becomes `.1`, once; whoever appends to it goes on in the emptied file."""
    if log.stat().st_size > LOG_SIZE:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


class Child:
    """A Program that is running, or about to be again."""

    def __init__(self, program: Program, logs: Path, say: Say) -> None:
        self.program = program
        self.restarts = 0
        self.up = False
        self._say = say
        self._log = logs / f"{program.name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Returns when it is ready; a program that ends again and again before that is an error."""
        for tried in range(_TRIES_AT_START):
            if tried:
                await asyncio.sleep(_BACKOFF_FIRST * 2**tried)
            await self._spawn()
            if await self._wait_ready():
                self._keeper = asyncio.create_task(self._keep())
                return
        ended = self._how()
        await self._kill()
        raise ChildError(f"{self.program.name} did not come up ({ended}). Its log, {self._log}, ends:\n{self._tail()}")

    async def stop(self) -> None:
        """Its own signal, its grace, then the hard way. Safe to call in any state."""
        self._stopping = True
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self.pid is not None:
            self._signal(self.program.stop)
            try:
                async with asyncio.timeout(self.program.grace):
                    await self._wait()
            except TimeoutError:
                self._say(f"{self.program.name} did not stop within {self.program.grace:g} s and was killed")
        await self._kill()
        self.up = False

    async def _keep(self) -> None:
        first = pause = min(_BACKOFF_FIRST, self.program.rest)
        while True:
            since = time.monotonic()
            await self._wait()
            self.up = False
            if time.monotonic() - since > _HEALTHY:
                pause = first
            self.restarts += 1
            self._say(f"{self.program.name} died ({self._how()}); starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, self.program.rest)
            await self._spawn()
            if await self._wait_ready():
                self._say(f"{self.program.name} is up again")

    async def _spawn(self) -> None:
        program = self.program
        with self._log.open("ab") as log:
            self._process = await spawn(
                program.argv,
                log,
                env=program.env,
                orphaned=program.orphaned,
                user=program.user,
                keep=program.keep,
                sockets=program.sockets,
            )

    async def _wait_ready(self) -> bool:
        deadline = time.monotonic() + self.program.patience
        while self.pid is not None and time.monotonic() < deadline:
            if await self.program.ready():
                self.up = self.pid is not None
                return self.up
            await asyncio.sleep(0.02)
        await self._kill()
        return False

    async def _wait(self) -> None:
        if self._process:
            await self._process.wait()

    async def _kill(self) -> None:
        self._signal(signal.SIGKILL)
        await self._wait()

    def _signal(self, number: signal.Signals) -> None:
        """To the whole group, which outlives its first process where that one forked."""
        if self._process:
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                return

    def _how(self) -> str:
        code = self._process.returncode if self._process else None
        if code is None:
            return f"not ready after {self.program.patience:g} s"
        return f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
