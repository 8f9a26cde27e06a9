"""Uploads under load and under fire: 200 slow ones, slowloris beside them; an API that is killed ten times."""

import asyncio
import hashlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from api import wire
from api.conftest import rows
from api.process import Api, Upload, log_in, running
from api.sweeping import a_day_later, only_what_jobs_have_is_left
from api.tus_client import BYTES, begun, offset, used
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

SIZE, KILLS = 500 * MIB, 10
SLOW, SECONDS = 200, 60
PIECE, SOCKETS = 8 * MIB, 16 * MIB
"""What one object holds; and what lies between two processes that send as fast as they can."""


class Film:
    """So many bytes that begin like a video, without having them in memory."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._block = clip(4096) + os.urandom(MIB - 4096)

    def read(self, start: int, end: int) -> bytes:
        whole = self._block * ((end - start) // MIB + 2)
        return whole[start % MIB : start % MIB + end - start]

    async def between(self, start: int, end: int, sent: list[int]) -> AsyncIterator[bytes]:
        for at in range(start, end, MIB // 4):
            piece = self.read(at, min(at + MIB // 4, end))
            yield piece
            sent[0] = at + len(piece)

    @property
    def sha256(self) -> str:
        whole = hashlib.sha256()
        for at in range(0, self.size, MIB):
            whole.update(self.read(at, min(at + MIB, self.size)))
        return whole.hexdigest()


async def sha256_of(database: Database, blobs: Blobs, source: str) -> str:
    whole = hashlib.sha256()
    query = "SELECT key FROM chunk WHERE source_id = %s AND state = 'done' ORDER BY n"
    for row in await rows(database, query, source):
        whole.update(await blobs.get(row["key"]))
    return whole.hexdigest()


@pytest.mark.parametrize("piece", [PIECE, SIZE], ids=["in requests of 8 MiB", "in one request"])
async def test_500_mb_by_tus_with_the_api_killed_10_times(
    environment: dict[str, str],
    database: Database,
    blobs: Blobs,
    tmp_path: Path,
    piece: int,
) -> None:
    film, chance = Film(SIZE), random.Random(piece)
    kills = sorted(chance.randrange(SIZE) for _ in range(KILLS))
    folder = tmp_path / "api"
    folder.mkdir()
    where, reached, again = "", [0], []
    while True:
        async with running(environment, folder) as api, httpx.AsyncClient(base_url=api.url, timeout=60) as client:
            client.headers.update(await log_in(api))
            where = where or await begun(client, SIZE)
            start = await offset(client, where)
            again.append(reached[0] - start)
            sending = asyncio.create_task(_send(client, where, film, start=start, piece=piece, reached=reached))
            while kills and not sending.done() and reached[0] < kills[0]:
                await asyncio.sleep(0.002)
            if not kills:
                await sending
                await used(client, where)
                break
            kills.pop(0)
            os.kill(api.pid, signal.SIGKILL)
            with suppress(httpx.TransportError):
                await sending
    most = max(again[1:]) / MIB
    print(f"\n  tus, {SIZE // MIB} MiB, {piece // MIB} MiB a request, {KILLS} kills: at most {most:.1f} MiB sent again")

    assert await sha256_of(database, blobs, where.rpartition("/")[2]) == film.sha256
    assert max(again[1:]) <= (PIECE if piece == PIECE else 2 * PIECE + SOCKETS)
    await a_day_later(database, blobs)
    await only_what_jobs_have_is_left(database, blobs)


async def _send(
    client: httpx.AsyncClient, where: str, film: Film, *, start: int, piece: int, reached: list[int]
) -> None:
    while start < film.size:
        end = min(start + piece, film.size)
        headers = {**BYTES, "Upload-Offset": str(start), "Content-Length": str(end - start)}
        answer = await client.patch(where, content=film.between(start, end, reached), headers=headers)
        assert answer.status_code == 204, answer.text
        start = end


async def test_500_mb_by_form_with_the_api_killed_10_times_leave_nothing_but_the_last_try(
    environment: dict[str, str],
    database: Database,
    blobs: Blobs,
    tmp_path: Path,
) -> None:
    chance = random.Random(9)
    folder = tmp_path / "api"
    folder.mkdir()
    upload, began = Upload(1, SIZE), time.monotonic()
    for kill in range(KILLS):
        last = chance.randrange(SIZE)
        async with running(environment, folder) as api:
            headers = {**await log_in(api), **upload.headers}

            async def until_killed(api: Api = api, last: int = last) -> AsyncIterator[bytes]:
                sent = 0
                async for piece in upload.body():
                    sent += len(piece)
                    if sent > last:
                        os.kill(api.pid, signal.SIGKILL)
                    yield piece

            async with httpx.AsyncClient(timeout=60) as client:
                with pytest.raises(httpx.TransportError):
                    await client.post(f"{api.url}/api/jobs", content=until_killed(), headers=headers)
        print(f"  form, kill {kill + 1} at {last // MIB} MiB")
    async with running(environment, folder) as api, httpx.AsyncClient(timeout=120) as client:
        headers = {**await log_in(api), **upload.headers}
        answer = await client.post(f"{api.url}/api/jobs", content=upload.body(), headers=headers)
    await a_day_later(database, blobs)
    print(f"  form, {KILLS} kills and one whole try: {time.monotonic() - began:.0f} s")

    assert answer.status_code == 202, answer.text
    assert len(await rows(database, "SELECT FROM job")) == 1
    await only_what_jobs_have_is_left(database, blobs)


async def test_200_slow_uploads_and_slowloris_leave_the_api_small_and_quick(
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    async with running({**environment, "RETAKE_HEAD_SECONDS": "5"}, folder) as api:
        headers = await log_in(api)
        async with httpx.AsyncClient(base_url=api.url, headers=headers, timeout=30) as client:
            await client.get("/api/jobs")
            api.forget_peak()
            before = api.peak()
            over = time.monotonic() + SECONDS
            token = headers["Authorization"].removeprefix("Bearer ")
            uploads = [asyncio.create_task(_form_slowly(api, token, over)) for _ in range(SLOW // 2)]
            uploads += [asyncio.create_task(_patch_slowly(api, token, client, over)) for _ in range(SLOW // 2)]
            loris = [asyncio.create_task(_drip_head(api)) for _ in range(50)]
            waits = await _listed(client, over)
            peak = api.peak()
            held = await asyncio.gather(*loris)
            await asyncio.gather(*uploads)
    waits.sort()
    p50, p99 = (1000 * waits[int(len(waits) * share)] for share in (0.5, 0.99))
    print(f"\n  {SLOW} slow uploads for {SECONDS} s: peak memory {before / 1e6:.0f} -> {peak / 1e6:.0f} MB")
    print(
        f"  GET /api/jobs p50 {p50:.0f} ms, p99 {p99:.0f} ms of {len(waits)}; dripping heads: cut by {max(held):.1f} s"
    )

    assert peak <= 100e6 + SLOW * 256 * 1024
    assert p99 < 250
    assert max(held) < 10


async def _listed(client: httpx.AsyncClient, over: float) -> list[float]:
    waits = []
    while time.monotonic() < over:
        began = time.monotonic()
        assert (await client.get("/api/jobs")).status_code == 200
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.05)
    return waits


async def _form_slowly(api: Api, token: str, over: float) -> None:
    async with wire.connected(api.url) as (_, writer):
        writer.write(wire.head(token, 100 * MIB) + wire.part("videos", clip(), "a.mp4")[:-2])
        await _drip_body(writer, over)


async def _patch_slowly(api: Api, token: str, client: httpx.AsyncClient, over: float) -> None:
    where = await begun(client, 100 * MIB)
    async with wire.connected(api.url) as (_, writer):
        head = [f"PATCH {where} HTTP/1.1", "Host: test", f"Authorization: Bearer {token}", "Upload-Offset: 0"]
        head += [f"Content-Length: {100 * MIB}", *(f"{name}: {value}" for name, value in BYTES.items())]
        writer.write("\r\n".join([*head, "", ""]).encode() + clip())
        await _drip_body(writer, over)


async def _drip_body(writer: asyncio.StreamWriter, over: float) -> None:
    """16 KiB twice a second: 2 MiB by the end, so that its buffer wants to grow."""
    while time.monotonic() < over:
        writer.write(os.urandom(16 * 1024))
        await writer.drain()
        await asyncio.sleep(0.5)


async def _drip_head(api: Api) -> float:
    began = time.monotonic()
    async with wire.connected(api.url) as (reader, writer):
        writer.write(b"GET /api/jobs HTTP/1.1\r\nHost: test\r\n")
        ended = asyncio.create_task(reader.read())
        while not ended.done():
            with suppress(ConnectionError):
                writer.write(b"X-A: b\r\n")
                await writer.drain()
            await asyncio.wait({ended}, timeout=0.5)
    return time.monotonic() - began
