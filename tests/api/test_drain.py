"""An API that is told to stop: what is under way ends by itself if it can within the grace, and else is cut; nothing
new is let in, whoever listens is told good-bye at once, and the process ends in order.
"""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from api.downloading import address, unpacked
from api.process import Api, Upload, log_in, running
from api.wire import MIB
from conftest import eventually
from footage import Footage
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

RATE = 12 * MIB


def folder(tmp_path: Path) -> Path:
    made = tmp_path / "api"
    made.mkdir()
    return made


async def post(api: Api, upload: Upload) -> httpx.Response:
    async with httpx.AsyncClient(base_url=api.url, headers=await log_in(api), timeout=30) as client:
        return await client.post("/api/jobs", content=upload.body(RATE), headers=upload.headers)


async def fetch(api: Api, path: str, begun: asyncio.Event) -> httpx.Response:
    """Not faster than its reader, whom the rest of the body waits for."""
    async with (
        httpx.AsyncClient(base_url=api.url, headers=await log_in(api), timeout=30) as client,
        client.stream("GET", path) as answer,
    ):
        pieces = []
        async for piece in answer.aiter_bytes(MIB):
            pieces.append(piece)
            begun.set()
            await asyncio.sleep(0.1)
        return httpx.Response(answer.status_code, content=b"".join(pieces))


async def listen(api: Api, begun: asyncio.Event) -> float:
    """When the stream came to its end."""
    async with (
        httpx.AsyncClient(base_url=api.url, headers=await log_in(api), timeout=30) as client,
        client.stream("GET", "/api/events") as answer,
    ):
        async for _ in answer.aiter_lines():
            begun.set()
        return time.monotonic()


async def arriving(footage: Footage) -> bool:
    """Some bytes of an upload are stored."""
    return bool(await footage.sql("SELECT FROM chunk JOIN source ON id = source_id WHERE source.state = 'open'"))


async def test_what_is_under_way_ends_within_the_grace_and_nothing_new_is_let_in(
    environment: dict[str, str],
    tmp_path: Path,
    database: Database,
    blobs: Blobs,
) -> None:
    footage = Footage(database, blobs)
    job = await footage.finished(takes=4, size=5 * MIB, owner="default")
    fetching, listening = asyncio.Event(), asyncio.Event()

    async with running({**environment, "RETAKE_API_GRACE": "60"}, folder(tmp_path)) as api:
        posting = asyncio.create_task(post(api, Upload(1, 24 * MIB)))
        getting = asyncio.create_task(fetch(api, address(job), fetching))
        hearing = asyncio.create_task(listen(api, listening))
        await asyncio.gather(fetching.wait(), listening.wait(), eventually(lambda: arriving(footage), within=20))
        under_way = [posting.done(), getting.done(), hearing.done()]
        api.stop()
        posted, got, told_off = await asyncio.gather(posting, getting, hearing)
        done = time.monotonic()
        code = await api.ended(within=20)
        with pytest.raises(httpx.ConnectError):
            await log_in(api)

    assert under_way == [False, False, False]
    assert posted.status_code == 202
    assert [*unpacked(got).values()][2:] == [*job.takes.values()]
    assert told_off < done, "who listens does not wait for the others"
    assert code == 0


async def test_what_takes_longer_than_the_grace_is_cut_and_leaves_no_job(
    environment: dict[str, str],
    tmp_path: Path,
    database: Database,
    blobs: Blobs,
) -> None:
    footage = Footage(database, blobs)

    async with running({**environment, "RETAKE_API_GRACE": "1"}, folder(tmp_path)) as api:
        posting = asyncio.create_task(post(api, Upload(1, 400 * MIB)))
        await eventually(lambda: arriving(footage), within=20)
        api.stop()
        code = await api.ended(within=20)
        with pytest.raises(httpx.TransportError):
            await posting

    assert code == 0
    assert await footage.sql("SELECT id FROM job") == []
