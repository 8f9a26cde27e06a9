"""Large uploads into a process of its own: memory, CPU, time. `make bench`, or this file alone with -s.

CPU is told per gigabyte, and beside it what a bare ASGI application takes that counts the bytes and forgets them: what
the same server costs on the same machine at the same time, before we do anything.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from bench.figures import tell

from api.process import Api, Upload, log_in, running
from api.tus_client import BYTES, begun
from api.wire import MIB, clip
from conftest import eventually
from retake_local.servers import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.bench]

SIZE = 500 * MIB
GIGABYTES = SIZE / 1e9
SINK = Path(__file__).with_name("sink.py")


@asynccontextmanager
async def sink(folder: Path) -> AsyncIterator[Api]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(sys.executable, SINK, str(port), cwd=folder)
    api = Api(f"http://127.0.0.1:{port}", process, folder)

    async def answers() -> bool:
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(api.url)).status_code == 200
            except httpx.TransportError:
                return False

    try:
        await eventually(answers)
        yield api
    finally:
        process.terminate()
        await process.wait()


async def by_form(api: Api, headers: dict[str, str]) -> None:
    upload = Upload(1, SIZE)
    async with httpx.AsyncClient(timeout=600) as client:
        answer = await client.post(f"{api.url}/api/jobs", content=upload.body(), headers={**headers, **upload.headers})
    assert answer.status_code in (200, 202), answer.text


async def by_tus(api: Api, headers: dict[str, str]) -> None:
    block = os.urandom(MIB)

    async def body() -> AsyncIterator[bytes]:
        yield clip(MIB)
        for _ in range(SIZE // MIB - 1):
            yield block

    async with httpx.AsyncClient(base_url=api.url, timeout=600, headers=headers) as client:
        where = await begun(client, SIZE)
        sent = {**BYTES, "Upload-Offset": "0", "Content-Length": str(SIZE)}
        answer = await client.patch(where, content=body(), headers=sent)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(SIZE))


async def test_cpu_of_500_mib_by_form_and_by_tus_beside_a_bare_sink(
    environment: dict[str, str], tmp_path: Path
) -> None:
    spent = {}
    async with running(environment, _folder(tmp_path, "api")) as api, sink(_folder(tmp_path, "sink")) as bare:
        headers = await log_in(api)
        for name, server, send in (("sink", bare, by_form), ("form", api, by_form), ("tus", api, by_tus)):
            peak, cpu, written, began = server.peak(), server.cpu(), server.written(), time.monotonic()
            await send(server, headers)
            spent[name] = (server.cpu() - cpu) / GIGABYTES
            target = {"form": "<= 3", "tus": "<= 3.5"}.get(name, "")
            tell(f"{name}, 500 MiB", spent[name], "CPU s/GB", target)
            tell(f"{name}, 500 MiB", GIGABYTES * 1000 / (time.monotonic() - began), "MB/s")
            tell(f"{name}, memory more than before", (server.peak() - peak) / MIB, "MiB", "< 64")
            assert server.peak() - peak < 64 * MIB
            assert server.written() - written < MIB
        assert list((tmp_path / "api").iterdir()) == []
    tell("form / sink", spent["form"] / spent["sink"], "x")
    tell("tus / sink", spent["tus"] / spent["sink"], "x")
    assert spent["form"] <= 3
    assert spent["tus"] <= 3.5


async def test_ten_videos_in_one_form_from_a_client_with_200_mbit(environment: dict[str, str], tmp_path: Path) -> None:
    upload = Upload(10, 200 * MIB)
    async with running(environment, _folder(tmp_path, "api")) as api:
        headers, peak = await log_in(api), api.peak()
        async with httpx.AsyncClient(timeout=600) as client:
            answer = await client.post(
                f"{api.url}/api/jobs", content=upload.body(25 * MIB), headers={**headers, **upload.headers}
            )

        tell("ten videos, 2 GB, memory more than before", (api.peak() - peak) / MIB, "MiB", "< 64")
        assert answer.status_code == 202, answer.text
        assert api.peak() - peak < 64 * MIB


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder
