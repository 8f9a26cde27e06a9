"""Downloads as these tests make them: over a real server, whose callers say whose they are, from a watched store."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Header

from api.serving import Watched, served
from footage import Filmed, Footage
from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.settings import Bucket
from retake.store.connect import Database
from retake_api import downloads, files, problems
from retake_api.delivery import Delivery
from retake_api.request_log import RequestLog

MIB = 2**20
TIMING = Timing(download=1.5)


async def caller(x_workspace: Annotated[UUID, Header()]) -> UUID:
    return x_workspace


@pytest.fixture
async def store(bucket: Bucket) -> AsyncIterator[Watched]:
    opened = Watched(bucket, threads=4, timeout=10)
    await opened.ensure()
    yield opened
    opened.close()


@pytest.fixture
async def footage(database: Database, store: Watched) -> Footage:
    return Footage(database, store)


def offering(database: Database, store: Blobs, timing: Timing = TIMING) -> FastAPI:
    """One replica."""
    app = FastAPI()
    app.add_middleware(RequestLog)
    problems.install(app)
    delivery = Delivery(database, store, timing)
    downloads.install(app, caller, database, delivery)
    files.install(app, caller, database, store, delivery)
    return app


@pytest.fixture
async def downloads_url(database: Database, store: Watched) -> AsyncIterator[str]:
    async with served(offering(database, store)) as address:
        yield address


@pytest.fixture
async def asking(downloads_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=downloads_url) as opened:
        yield opened


@pytest.fixture
async def big(footage: Footage, tmp_path: Path) -> Filmed:
    """A job with one take of 100 MB."""
    job = await footage.finished(takes=1)
    file = tmp_path / "big.mp4"
    with file.open("wb") as opened:
        opened.truncate(100 * 10**6)
    (row,) = await footage.sql("SELECT key FROM variation")
    await footage.blobs.delete(row["key"])
    await footage.blobs.put_file(row["key"], file)
    await footage.sql("UPDATE storage SET bytes = bytes + 100 * 10^6 - 1000 WHERE workspace = %s", job.workspace)
    await footage.sql("UPDATE variation SET size = 100 * 10^6")
    return job


def as_owner(job: Filmed) -> dict[str, str]:
    return {"X-Workspace": str(job.workspace)}


def address(job: Filmed | UUID | str) -> str:
    return f"/api/jobs/{job.id if isinstance(job, Filmed) else job}/download"


async def download(
    asking: httpx.AsyncClient, job: Filmed, method: str = "GET", query: Any = None, **headers: str
) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await asking.request(method, address(job), params=query, headers={**as_owner(job), **given})


def unpacked(answer: httpx.Response) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


async def begun(downloads_url: str, job: Filmed) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asked, and took a megabyte."""
    where = urlsplit(downloads_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"GET {address(job)} HTTP/1.1\r\nHost: x\r\nX-Workspace: {job.workspace}\r\n\r\n".encode())
    return await reader.readexactly(MIB), reader, writer
