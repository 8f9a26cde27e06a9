"""`python -m retake_api` as a process of its own, watched through /proc."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from api.wire import MIB, PASSWORD, clip
from conftest import Stack, eventually
from retake.settings import Bucket, Nats, Postgres
from retake_local.servers import free_port


class Api:
    def __init__(self, url: str, process: asyncio.subprocess.Process, folder: Path, metrics: str = "") -> None:
        self.url, self.pid, self.folder, self.metrics = url, process.pid, folder, metrics
        self._process = process

    def stop(self) -> None:
        """Tells it to."""
        self._process.terminate()

    async def ended(self, within: float) -> int:
        """Its exit code."""
        async with asyncio.timeout(within):
            return await self._process.wait()

    def memory(self) -> int:
        """What it has now, in bytes."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most it ever had."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def written(self) -> int:
        """Bytes it gave to any disk."""
        line = next(line for line in self._proc("io").splitlines() if line.startswith("write_bytes"))
        return int(line.split()[1])

    def cpu(self) -> float:
        """Seconds."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> int:
        line = next(line for line in self._proc("status").splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.pid}/{name}").read_text()


@asynccontextmanager
async def running(environment: dict[str, str], folder: Path) -> AsyncIterator[Api]:
    """Its folder for temporary files and its working directory is `folder`; its log is beside it."""
    port, metrics = free_port(), free_port()
    with folder.with_suffix(".log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "retake_api", stdout=log, stderr=log, cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("RETAKE_")},
                **environment, "TMPDIR": str(folder), "RETAKE_PASSWORD": PASSWORD, "RETAKE_API_HOST": "127.0.0.1",
                "RETAKE_API_PORT": str(port), "RETAKE_METRICS_HOST": "127.0.0.1",
                "RETAKE_METRICS_PORT": str(metrics),
            },
        )  # fmt: skip
    api = Api(f"http://127.0.0.1:{port}", process, folder, f"http://127.0.0.1:{metrics}/metrics")
    try:

        async def answers() -> bool:
            async with httpx.AsyncClient() as client:
                try:
                    return (await client.get(f"{api.url}/livez")).status_code == 200
                except httpx.TransportError:
                    return False

        await eventually(answers, within=30)
        yield api
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.fixture
def environment(stack: Stack, postgres: Postgres, bucket: Bucket, nats: Nats) -> dict[str, str]:
    """Where this test's servers are, for a process of its own."""
    return {
        **stack.addresses.environment(),
        "RETAKE_DATABASE_URL": postgres.url,
        "RETAKE_S3_BUCKET": bucket.name,
        "RETAKE_S3_PREFIX": bucket.prefix,
        "RETAKE_NATS_STREAM": nats.stream,
    }


@asynccontextmanager
async def crashing(
    environment: dict[str, str], key_lease: float, deaths: Sequence[tuple[str, int]] | None = None
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Where APIs that are killed listen, one after another, and whose children they are (crashing_apis.py)."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.set_inheritable(True)
    told = [] if deaths is None else [json.dumps(deaths)]
    apis = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("crashing_apis.py")), str(listening.fileno()), str(key_lease),
        *told, env={**environment, "RETAKE_PASSWORD": PASSWORD}, pass_fds=[listening.fileno()],
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", apis
    finally:
        with suppress(ProcessLookupError):
            apis.kill()
        await apis.wait()
        listening.close()


async def log_in(api: Api) -> dict[str, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{api.url}/api/auth", json={"password": PASSWORD})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


class Upload:
    """A form of `count` videos of `size` bytes each, made up while it is sent."""

    def __init__(self, count: int, size: int) -> None:
        self._count, self._size = count, size
        self._block = os.urandom(MIB)

    @property
    def headers(self) -> dict[str, str]:
        length = sum(len(self._head(n)) + self._size + 2 for n in range(self._count)) + len(b"--b0undary--\r\n")
        return {"Content-Type": "multipart/form-data; boundary=b0undary", "Content-Length": str(length)}

    def _head(self, n: int) -> bytes:
        line = f'Content-Disposition: form-data; name="videos"; filename="{n}.mp4"'
        return f"--b0undary\r\n{line}\r\n\r\n".encode()

    async def body(self, rate: float | None = None) -> AsyncIterator[bytes]:
        """At most `rate` bytes per second."""
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        for n in range(self._count):
            yield self._head(n) + clip(4096)
            left = self._size - 4096
            while left:
                piece = self._block[: min(left, MIB)]
                left -= len(piece)
                sent += len(piece)
                yield piece
                if rate and (ahead := sent / rate - (loop.time() - began)) > 0:
                    await asyncio.sleep(ahead)
            yield b"\r\n"
        yield b"--b0undary--\r\n"
