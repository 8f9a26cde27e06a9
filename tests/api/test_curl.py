"""curl resumes a ZIP while the API is killed under it, again and again."""

import asyncio
import hashlib
import os
import signal
from pathlib import Path

import httpx
import pytest

from api.downloading import MIB, address, unpacked
from api.process import Api, log_in, running
from conftest import eventually, requires_tool
from footage import Filmed, Footage
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

KILLS = 10


@requires_tool("curl")
async def test_a_download_that_curl_resumes_after_each_kill_has_the_same_bytes(
    environment: dict[str, str], tmp_path: Path, database: Database, blobs: Blobs
) -> None:
    job = await Footage(database, blobs).finished(("a.mp4", "b.mp4"), KILLS + 3, 4 * MIB, owner="default")
    file = tmp_path / "takes.zip"
    file.touch()

    for number in range(KILLS):
        async with running(environment, folder(tmp_path, number)) as api:
            await killed_meanwhile(api, job, file)
    async with running(environment, folder(tmp_path, KILLS)) as api:
        assert await (await curl(api, job, file)).wait() == 0
        async with httpx.AsyncClient(base_url=api.url, headers=await log_in(api)) as client:
            whole = await client.get(address(job))

    assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(whole.content).digest()
    assert [*unpacked(whole).values()][2:] == [*job.takes.values()]


def folder(tmp_path: Path, number: int) -> Path:
    made = tmp_path / f"api-{number}"
    made.mkdir()
    return made


async def killed_meanwhile(api: Api, job: Filmed, file: Path) -> None:
    """When curl has a megabyte more; at its rate, and with what lies in sockets, far from all."""
    size = file.stat().st_size
    resuming = await curl(api, job, file, "--limit-rate", "5M")

    async def has_more() -> bool:
        return file.stat().st_size > size + MIB

    await eventually(has_more, within=30)
    os.kill(api.pid, signal.SIGKILL)
    assert await resuming.wait() in {18, 56}, "curl tells a transfer that was broken off"


async def curl(api: Api, job: Filmed, file: Path, *more: str) -> asyncio.subprocess.Process:
    headers = [word for name, value in (await log_in(api)).items() for word in ("-H", f"{name}: {value}")]
    return await asyncio.create_subprocess_exec(
        "curl", "-fsS", "-C", "-", *more, *headers, "-o", file, f"{api.url}{address(job)}",
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
