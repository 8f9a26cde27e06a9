"""`make faults`: one release takes over from another while people work (F17): migration, old and new side by side on
one database and one stream, drains. Nothing is lost, nobody's attempt is spent, and who is refused is so for a moment.

The older release is the newest commit whose schema lacks something of ours; and once the first that was released.
"""

import asyncio
import io
import subprocess
import sys
import tarfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from conftest import eventually
from faults.campaign import say
from faults.jobs import clip
from retake.audit import audit
from retake.blobs.bucket import open_blobs
from retake.bus.connection import open_bus
from retake.domain.timing import Timing
from retake.settings import Bucket, Nats, Postgres, read
from retake.store.connect import open_database
from retake.store.schema import newest
from retake_local import folder
from retake_local.child import Child, Program
from retake_local.servers import free_port, http_status
from retake_local.up import Servers

pytestmark = [pytest.mark.anyio, pytest.mark.faults]

TOP = Path(__file__).resolve().parents[2]
ROOTS = ("core", "services/api", "services/worker", "services/janitor")
MIGRATIONS = "core/retake/store/migrations"
SCALE, PASSWORD = 0.1, "shared"


def git(*words: str) -> bytes:
    return subprocess.run(["git", "-C", TOP, *words], capture_output=True, check=True).stdout


RELEASED = 2  # migrations of the first release


def migrations(commit: str) -> list[str]:
    """With what each hashes to."""
    return git("ls-tree", f"{commit}:{MIGRATIONS}").decode().splitlines()


def older(place: Path, most: int) -> Path:
    """The newest code that has the first of our migrations, `most` at most, unpacked there."""
    ours = migrations("HEAD")
    for commit in git("log", "--format=%H").decode().split():
        found = migrations(commit)
        if len(found) <= most and found == ours[: len(found)]:
            with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as packed:
                packed.extractall(place, filter="data")
            return place
    pytest.skip("this checkout has no commit with an older schema: it needs its history (git fetch --unshallow)")


class Site:
    """Servers, and processes of either release."""

    def __init__(self, data: Path) -> None:
        self.data, self.apis = folder.prepare(str(data)), dict[str, str]()
        self._servers, self.children = Servers(self.data, {}), dict[str, Child]()
        self.environment: dict[str, str] = {}

    async def start(self) -> None:
        addresses = await self._servers.start()
        self.environment = {
            **addresses.environment(), "RETAKE_PASSWORD": PASSWORD, "RETAKE_TIME_SCALE": str(SCALE),
            "RETAKE_SCRATCH": str(self.data / "scratch"), "RETAKE_API_HOST": "127.0.0.1",
            "RETAKE_METRICS_HOST": "127.0.0.1", "RETAKE_WORKER_SLOTS": "1",
        }  # fmt: skip

    def _of(self, code: Path) -> dict[str, str]:
        return {**self.environment, "PYTHONPATH": ":".join(str(code / root) for root in ROOTS)}

    async def migrate(self, code: Path) -> str:
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "retake", "migrate", env=self._of(code), stdout=subprocess.PIPE
        )
        told, _ = await done.communicate()
        assert done.returncode == 0
        return told.decode()

    def child(self, name: str, module: str, code: Path, **more: str) -> Child:
        port = free_port()
        env = {**self._of(code), "RETAKE_METRICS_PORT": str(port), **more}
        ready = partial(http_status, port, "/readyz", lambda status: status == 200)
        argv: Sequence[str | Path] = [sys.executable, "-m", module]
        self.children[name] = Child(Program(name, argv, ready, env=env, grace=60), self.data / "logs", say)
        return self.children[name]

    async def api(self, name: str, code: Path, **more: str) -> None:
        port = free_port()
        await self.child(name, "retake_api", code, RETAKE_API_PORT=str(port), **more).start()
        self.apis[name] = f"http://127.0.0.1:{port}"

    async def worker(self, name: str, code: Path, **more: str) -> None:
        await self.child(name, "retake_worker", code, RETAKE_WORKER_NAME=name, **more).start()

    async def take_away(self, name: str) -> None:
        """As a cluster does: nobody new is sent there, then it is told to stop."""
        self.apis.pop(name, None)
        await asyncio.sleep(0.5)
        await self.children.pop(name).stop()

    async def stop(self) -> None:
        await asyncio.gather(*(child.stop() for child in self.children.values()))
        await self._servers.stop()


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Site]:
    site = Site(data)
    try:
        await site.start()
        yield site
    finally:
        await site.stop()


class Crowd:
    """Somebody submits a job, again and again, to whichever API there is; one who is cut off asks again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.accepted: list[str] = []
        self.wrong: list[str] = []
        self.asked_again = 0
        self._token = ""

    async def come(self, leaving: asyncio.Event) -> None:
        while not leaving.is_set():
            await self._submit(str(uuid.uuid4()))
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await leaving.wait()

    async def _submit(self, key: str) -> None:
        while True:
            url = next(reversed(self._site.apis.values()))
            try:
                async with httpx.AsyncClient(base_url=url, timeout=20) as client:
                    if not self._token:
                        self._token = (await client.post("/api/auth", json={"password": PASSWORD})).json()["token"]
                    answer = await client.post(
                        "/api/jobs", files=[("videos", ("a.mp4", clip(key.encode())))], data={"variations": "2"},
                        headers={"Authorization": f"Bearer {self._token}", "Idempotency-Key": key},
                    )  # fmt: skip
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 401:  # a release may log everybody out, once
                self._token = ""
                continue
            if answer.status_code == 503:  # it says to try again, as while a migration holds a table
                self.asked_again += 1
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 202:
                self.accepted.append(answer.json()["jobId"])
            else:
                self.wrong.append(f"{answer.status_code} {answer.text}")
            return


async def rows(site: Site, statement: str) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(site.environment["RETAKE_DATABASE_URL"]) as connection:
        return await (await connection.execute(statement.encode())).fetchall()


async def roll(site: Site, crowd: Crowd, before: Path) -> None:
    """The new release is waiting when the schema comes; then process by process."""

    async def more(jobs: int) -> None:
        seen = len(crowd.accepted)
        await eventually(lambda: _is(len(crowd.accepted) >= seen + jobs or crowd.wrong), within=60)

    await more(5)
    early = asyncio.create_task(site.worker("new-1", TOP, RETAKE_WORKER_GRACE="30"))
    await more(5)
    assert await rows(site, "SELECT name FROM worker WHERE name LIKE 'new%'") == []
    say(await site.migrate(TOP))
    await early
    await site.api("api-new-1", TOP, RETAKE_API_GRACE="30")
    await more(10)
    for number in (1, 2):
        if number == 2:
            await site.worker("new-2", TOP, RETAKE_WORKER_GRACE="30")
            await site.api("api-new-2", TOP, RETAKE_API_GRACE="30")
        await site.take_away(f"old-{number}")
        await site.take_away(f"api-old-{number}")
        await more(5)
    await site.take_away("new-1")
    await more(5)


async def _is(found: object) -> bool:
    return bool(found)


@pytest.mark.parametrize("most", [newest() - 1, RELEASED], ids=["the last schema", "the first release"])
async def test_nothing_is_lost_while_one_release_takes_over_from_another(tmp_path: Path, most: int) -> None:
    before = older(tmp_path / "older", most)
    async with opened(tmp_path / "site") as site:
        await site.migrate(before)
        for number in (1, 2):
            await site.api(f"api-old-{number}", before)
            await site.worker(f"old-{number}", before)
        crowd, leaving = Crowd(site), asyncio.Event()
        coming = [asyncio.create_task(crowd.come(leaving)) for _ in range(2)]
        try:
            await roll(site, crowd, before)
        finally:
            leaving.set()
            await asyncio.gather(*coming)
        await eventually(lambda: _all_ended(site), within=120)
        told = await rows(site, "SELECT id::text, state FROM job")
        by = await rows(site, "SELECT body ->> 'status', count(*) FROM event WHERE kind = 'variation' GROUP BY 1")
        lost = await rows(site, "SELECT body FROM event WHERE kind = 'lost'")
        spent = await rows(site, "SELECT id FROM part WHERE failures > 0")
        wrong = await sound(site)

    say(f"{len(crowd.accepted)} jobs through the roll-over, {crowd.asked_again} asked again; takes {dict(by)}")
    assert crowd.asked_again < 10
    assert crowd.wrong == []
    assert {job for job, _ in told} == set(crowd.accepted)
    assert {state for _, state in told} == {"completed"}
    assert (lost, spent, wrong) == ([], [], [])


async def _all_ended(site: Site) -> bool:
    return not await rows(site, "SELECT id FROM job WHERE ended_at IS NULL")


async def sound(site: Site) -> list[Any]:
    known, timing = site.environment, Timing.scaled(SCALE)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(read(Postgres, known), name="audit"))
        blobs = await stack.enter_async_context(open_blobs(read(Bucket, known)))
        bus = await stack.enter_async_context(open_bus(read(Nats, known), timing, name="audit"))
        return [violation async for violation in audit(database, blobs, bus, timing, at_rest=True)]
