"""`make run` from outside: one real foreground process, what it says, and what runs below it."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path


class Run:
    """A `python -m retake_local run` and what it said."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.environ = {key: value for key, value in os.environ.items() if not key.startswith("RETAKE_")}
        self.environ |= {"RETAKE_DATA": str(data), "RETAKE_WORKERS": "1", **settings}
        self.said = ""
        self.process: asyncio.subprocess.Process

    async def start(self) -> "Run":
        self.process = await self._call("run")
        return self

    async def _call(self, verb: str, *words: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "retake_local", verb, *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=self.environ,
        )  # fmt: skip

    async def call(self, verb: str, *words: str) -> tuple[int, str]:
        process = await self._call(verb, *words)
        said, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, said.decode()

    async def until(self, pattern: str, within: float = 20) -> re.Match[str]:
        """Waits for a line to be said."""
        assert self.process.stdout is not None
        async with asyncio.timeout(within):
            while not (found := re.search(pattern, self.said)):
                line = await self.process.stdout.readline()
                assert line, f"it ended without saying {pattern!r}:\n{self.said}"
                self.said += line.decode()
        return found

    async def until_up(self) -> str:
        return (await self.until(r"retake is up: (http://127\.0\.0\.1:\d+)  password: (\S+)"))[1]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        async with asyncio.timeout(10):
            said, _ = await self.process.communicate()
            self.said += said.decode()
        assert self.process.returncode is not None
        return self.process.returncode

    def password(self) -> str:
        return (self.data / "password").read_text().strip()

    def environment(self) -> dict[str, str]:
        return json.loads((self.data / "environment.json").read_text())

    def pid(self, part: str) -> int:
        return next(p["pid"] for p in json.loads((self.data / "state.json").read_text())["parts"] if p["name"] == part)


@asynccontextmanager
async def running(data: Path, **settings: str) -> AsyncIterator[Run]:
    run = await Run(data, **settings).start()
    try:
        yield run
    finally:
        if run.process.returncode is None:
            await run.end()


def descendants(pid: int) -> Iterator[int]:
    """One look at every process, as long looks miss what is short."""
    children: dict[int | None, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            children.setdefault(parent_of(int(folder.name)), []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    yield from found[1:]


def parent_of(pid: int) -> int | None:
    """None when it is gone or only a zombie that nobody collected."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(parent)


async def gone(pids: list[int], within: float = 5) -> None:
    async with asyncio.timeout(within):
        while [pid for pid in pids if parent_of(pid) is not None]:
            await asyncio.sleep(0.02)
