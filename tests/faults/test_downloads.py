"""Slow downloads beside whoever wants their bytes gone: expiry, eviction, a person's delete, and a retry.

Each race is drawn from its seed: what is downloaded and how slowly, who comes in between and when. A client gets
everything that it was promised, or is told at once that there is nothing; never an answer that breaks off. At the end
the audit finds every byte of every job that lives, and of those that do not, none is left.
"""

import asyncio
import io
import socket
import zipfile
from collections import Counter
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

import pytest

from api.downloading import MIB, as_owner, offering
from api.serving import Watched, served
from conftest import eventually
from footage import Filmed, Footage
from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.settings import Bucket
from retake.store.connect import Database
from retake.store.eviction import evict
from retake.store.jobs import expire_due, wish
from retake.store.retrying import retry
from retake_janitor import purge, sources

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(0)]

TAKE, CHUNK, WINDOW = MIB, 600_000, 16 * 1024
REFUSALS = {404, 409, 410}


@dataclass
class Got:
    status: int
    promised: int
    body: bytes

    @property
    def whole(self) -> bool:
        return len(self.body) == self.promised


class Races:
    def __init__(self, footage: Footage, url: str) -> None:
        self.footage, self.where, self.database = footage, urlsplit(url), footage.database
        self.ends: Counter[str] = Counter()

    async def run(self, seed: int) -> None:
        chance = Random(seed)
        job = await self._job(chance)
        what = chance.choice(["download", "download", "download", f"files/{job.videos[0]}/source"])
        begun = asyncio.Event()
        downloading = asyncio.create_task(self._download(job, what, chance, begun))
        if chance.random() < 0.6:
            await begun.wait()
        else:
            await asyncio.sleep(chance.random() / 20)  # the moment that is drawn
        await self._meanwhile(job, chance)
        got = await downloading
        self.ends[f"{what.partition('/')[0]} {got.status}"] += 1
        assert got.status in REFUSALS | {200}, f"seed {seed}: {got.status}"
        assert got.whole, f"seed {seed}: {len(got.body)} of {got.promised} bytes of a {got.status}"
        if got.status == 200 and what == "download":
            self._check(job, got.body)

    async def _job(self, chance: Random) -> Filmed:
        """Finished, or cancelled with a take that can be retried."""
        if chance.random() < 0.75:
            return await self.footage.finished(takes=2, size=TAKE, chunks=[CHUNK] * 3)
        job = await self.footage.planned(takes=2, chunks=[CHUNK] * 3)
        one, other = await self.footage.claims(job)
        await self.footage.render(job, one, chance.randbytes(2 * TAKE))
        await wish(self.database, job.id, Wish.CANCEL)
        await self.footage.release(other)
        return job

    async def _download(self, job: Filmed, what: str, chance: Random, begun: asyncio.Event) -> Got:
        """Through a small window, so that bytes wait at the server until they are read."""
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, (self.where.hostname, self.where.port))
        reader, writer = await asyncio.open_connection(sock=raw, limit=WINDOW)
        await asyncio.sleep(chance.choice([0, chance.random() / 20]))  # and this one
        try:
            owner = "".join(f"{name}: {value}\r\n" for name, value in as_owner(job).items())
            writer.write(f"GET /api/jobs/{job.id}/{what} HTTP/1.1\r\nHost: x\r\n{owner}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            begun.set()
            await asyncio.sleep(chance.random() / 10)  # the slowness that is drawn
            promised = int(head.lower().partition("content-length:")[2].partition("\r\n")[0])
            body = bytearray()
            while len(body) < promised and (piece := await reader.read(64 * 1024)):
                body += piece
            return Got(int(head.split()[1]), promised, bytes(body))
        finally:
            writer.transport.abort()

    async def _meanwhile(self, job: Filmed, chance: Random) -> None:
        match chance.choice(["age", "space", "deleted", "deleted", "retry"]):
            case "age":
                await self.footage.pass_time(job, "30 days")
                await expire_due(self.database)
            case "space":
                await evict(self.database, job.id, above=0)
            case "deleted":
                await wish(self.database, job.id, Wish.EXPIRE, "deleted")
            case _ if len(job.takes) == 1:
                await retry(self.database, job.id, None)
                (again,) = await self.footage.claims(job)
                await self.footage.render(job, again, chance.randbytes(1000))
        await self.clean()

    async def clean(self) -> None:
        await purge.run_once(self.database, self.footage.blobs)
        await sources.run_once(self.database, self.footage.blobs)

    def _check(self, job: Filmed, body: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            takes = [archive.read(name) for name in archive.namelist() if name.endswith(".mp4")]
        assert takes == list(job.takes.values())[: len(takes)]
        assert takes


@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.faults)])
async def test_no_download_is_cut_off_and_nothing_that_lives_is_deleted(
    database: Database, bucket: Bucket, count: int
) -> None:
    store = Watched(bucket, threads=8, timeout=30)
    await store.ensure()
    footage = Footage(database, store)
    async with served(offering(database, store, Timing(download=20)), window=WINDOW) as url:
        races = Races(footage, url)
        for first in range(0, count, 4):
            await asyncio.gather(*(races.run(seed) for seed in range(first, first + 4)))

        await eventually(lambda: idle(footage))
        await races.clean()
    print(f"\n{count} races: {dict(sorted(races.ends.items()))}")  # noqa: T201  what a campaign saw

    assert races.ends["download 200"] > count / 4
    assert races.ends["download 200"] + races.ends["files 200"] < count, "none came too late"
    assert await footage.complaints() == []
    gone = await footage.sql("SELECT id, purged_at FROM job WHERE wish = 'expire'")
    assert [row["id"] for row in gone if row["purged_at"] is None] == []
    left = {key.split("/")[1] for key in await footage.objects("results/")}
    assert left.isdisjoint({str(row["id"]) for row in gone})
    store.close()


async def idle(footage: Footage) -> bool:
    return await footage.sql("SELECT id FROM download WHERE until > now()") == []
