"""What clients that listen, and are told nothing, cost: a thousand of them at one API."""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bench.figures import tell

from api.process import Api, log_in, running

pytestmark = [pytest.mark.anyio, pytest.mark.bench]

CLIENTS, AT_ONCE = 1000, 50
REST = 5.0
"""For how long they are watched."""


async def test_a_thousand_clients_that_listen(environment: dict[str, str], tmp_path: Path) -> None:
    async with running(environment, tmp_path) as api:
        headers = await log_in(api)
        hang_up(await listening(api, headers, 10))  # what the first ones load, is loaded
        before = api.memory()

        clients = await listening(api, headers, CLIENTS)
        grown, cpu, began = api.memory() - before, api.cpu(), time.monotonic()
        await asyncio.sleep(REST)
        busy = (api.cpu() - cpu) / (time.monotonic() - began)
        hang_up(clients)

    tell(f"{CLIENTS} clients that listen: memory of each", grown / CLIENTS / 1024, "KiB", "at most 64")
    tell("the API's processor, while nothing happens", 100 * busy, "% of one", "told")
    assert grown / CLIENTS <= 64 * 1024


async def listening(api: Api, headers: dict[str, str], count: int) -> list[asyncio.StreamWriter]:
    """All have been told where they start."""
    clients: list[asyncio.StreamWriter] = []
    while len(clients) < count:
        some = min(AT_ONCE, count - len(clients))
        clients += await asyncio.gather(*(listener(api, headers) for _ in range(some)))
    return clients


async def listener(api: Api, headers: dict[str, str]) -> asyncio.StreamWriter:
    where = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    shown = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET /api/events HTTP/1.1\r\nHost: x\r\n{shown}\r\n".encode())
    async with asyncio.timeout(60):
        await reader.readuntil(b"event: ready")
    return writer


def hang_up(clients: list[asyncio.StreamWriter]) -> None:
    for one in clients:
        one.close()
