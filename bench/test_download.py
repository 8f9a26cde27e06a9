"""What a download costs: the API's CPU, its rate beside a direct read of the store, its memory under slow clients."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bench.figures import tell

from api.process import Api, log_in, running
from api.wire import MIB
from footage import Filmed, Footage
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = [pytest.mark.anyio, pytest.mark.bench]

TAKES, SIZE = 60, 8 * MIB
SLOW, RATE = 20, MIB
"""Clients, and how many bytes a second each takes."""


@pytest.fixture
async def job(database: Database, blobs: Blobs) -> Filmed:
    """Half a gigabyte in 60 takes of three videos."""
    footage, block = Footage(database, blobs), os.urandom(SIZE)
    made = await footage.planned([f"{n}.mp4" for n in range(3)], takes=TAKES // 3, owner="default")
    for claimed in await footage.claims(made):
        await footage.render(made, claimed, block)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "api").mkdir()
    return tmp_path / "api"


def asked(api: Api, job: Filmed, headers: dict[str, str]) -> socket.socket:
    where = urlsplit(api.url)
    connection = socket.create_connection((where.hostname or "", where.port or 0), timeout=30)
    lines = [f"GET /api/jobs/{job.id}/download HTTP/1.1", "Host: x", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def drained(connection: socket.socket) -> int:
    """How many bytes came."""
    came, buffer = 0, bytearray(MIB)
    with connection:
        while count := connection.recv_into(buffer):
            came += count
    return came


async def directly(blobs: Blobs, job: Filmed) -> int:
    came = 0
    async for blob in blobs.listing(f"results/{job.id}/"):
        if blob.key.endswith(".mp4"):
            async with blobs.stream(blob.key) as pieces:
                async for piece in pieces:
                    came += len(piece)
    return came


async def rate(work: Callable[[], Awaitable[int]]) -> float:
    """Megabytes a second."""
    began = time.monotonic()
    came = await work()
    assert came >= TAKES * SIZE
    return came / 1e6 / (time.monotonic() - began)


async def test_a_zip_at_full_speed(environment: dict[str, str], folder: Path, job: Filmed, blobs: Blobs) -> None:
    async with running(environment, folder) as api:
        headers = await log_in(api)

        async def zipped() -> int:
            return await asyncio.to_thread(lambda: drained(asked(api, job, headers)))

        await zipped()  # the store's files are in memory from here on
        cpu, direct, served = api.cpu(), 0.0, 0.0
        for _ in range(3):
            direct = max(direct, await rate(lambda: directly(blobs, job)))
            served = max(served, await rate(zipped))
        cost = (api.cpu() - cpu) / (3 * TAKES * SIZE / 1e9)

    tell("directly from the store", direct, "MB/s")
    tell("as one ZIP", served, "MB/s")
    tell("of the direct rate", 100 * served / direct, "%", "aim 70 on an idle machine")
    tell("CPU of the API", cost, "s/GB", "at most 2.5")
    assert cost <= 2.5


async def test_slow_clients(environment: dict[str, str], folder: Path, job: Filmed) -> None:
    async with running(environment, folder) as api:
        headers = await log_in(api)
        drained_once = await asyncio.to_thread(lambda: drained(asked(api, job, headers)))
        api.forget_peak()
        before = api.peak()

        connections = [asked(api, job, headers) for _ in range(SLOW)]
        came = await asyncio.gather(*(asyncio.to_thread(slowly, connection) for connection in connections))
        grown = (api.peak() - before) / MIB

    tell(f"{SLOW} clients at {RATE // MIB} MiB/s: memory grew by", grown, "MiB", "under 32")
    assert drained_once > TAKES * SIZE
    assert min(came) >= 10 * RATE
    assert grown < 32


def slowly(connection: socket.socket) -> int:
    """For ten seconds, so many bytes a second; then it hangs up."""
    came, began = 0, time.monotonic()
    with connection:
        while came < 10 * RATE:
            came += len(connection.recv(RATE // 20))
            time.sleep(max(0.0, came / RATE - (time.monotonic() - began)))
    return came
