"""Processes that are told to stop: a worker in the middle of a part, with a grace and without; and whoever still waits
for its servers.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clips import Clips
from conftest import eventually
from faults.works import Works, works
from retake.audit import audit
from retake.settings import Bucket, Nats, Postgres
from retake.store.jobs import NewJob
from retake_local.servers import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(postgres: Postgres, bucket: Bucket, nats: Nats, tmp_path: Path) -> AsyncIterator[Works]:
    async with works(postgres, bucket, nats, tmp_path) as opened:
        yield opened
        assert [v async for v in audit(opened.database, opened.blobs, None, opened.timing, deep=True)] == []


def environment(here: Works, **more: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("RETAKE_")},
        "RETAKE_DATABASE_URL": here.postgres.url, "RETAKE_NATS_URL": here.nats.url,
        "RETAKE_NATS_STREAM": here.nats.stream, "RETAKE_S3_ENDPOINT": here.bucket.endpoint,
        "RETAKE_S3_ACCESS_KEY": here.bucket.access_key, "RETAKE_S3_SECRET_KEY": here.bucket.secret_key,
        "RETAKE_S3_BUCKET": here.bucket.name, "RETAKE_S3_PREFIX": here.bucket.prefix, "RETAKE_PASSWORD": "shared",
        "RETAKE_SCRATCH": str(here.scratch), "RETAKE_WORKER_SLOTS": "1", "RETAKE_METRICS_HOST": "127.0.0.1",
        "RETAKE_METRICS_PORT": str(free_port()), "RETAKE_API_PORT": str(free_port()), **more,
    }  # fmt: skip


@asynccontextmanager
async def process(here: Works, module: str, *words: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    with (here.scratch / "log").open("ab") as log:
        started = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *words, env=environment(here, **more), stdout=log, stderr=log
        )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def rendering(here: Works) -> bool:
    """Frames of a take were counted, so it is in the middle of it."""
    return bool(await here.sql("SELECT id FROM part WHERE kind = 'render' AND state = 'running' AND frames <> '{}'"))


async def stopped_meanwhile(here: Works, clips: Clips, grace: str) -> tuple[NewJob, int]:
    """A worker that was told to stop in the middle of a part; with its exit code."""
    new = await here.submit(clips("long").read_bytes(), takes=2)
    async with (
        here.relaying(),
        process(here, "retake_worker", RETAKE_WORKER_GRACE=grace, RETAKE_TIME_SCALE="0.1") as worker,
    ):
        await eventually(lambda: rendering(here), within=60)
        worker.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            return new, await worker.wait()


async def test_a_worker_with_a_grace_ends_its_part_first(here: Works, clips: Clips) -> None:
    new, code = await stopped_meanwhile(here, clips, "100")

    assert code == 0
    assert await here.state(new) == "completed"
    assert await here.sql("SELECT id FROM part WHERE failures > 0 OR releases > 0 OR generation > 1") == []
    assert await here.sql("SELECT name FROM worker WHERE gone_at IS NULL") == []


async def test_a_worker_whose_grace_is_too_short_gives_its_part_back_at_once(here: Works, clips: Clips) -> None:
    new, code = await stopped_meanwhile(here, clips, "0")

    assert code == 0
    assert await here.sql("SELECT state, failures, releases FROM part WHERE kind = 'render'") == [
        {"state": "queued", "failures": 0, "releases": 0}
    ]
    assert await here.state(new) == "processing"


@pytest.mark.parametrize(
    ("module", "words"), [("retake_api", ()), ("retake_worker", ()), ("retake_janitor", ()), ("retake", ("migrate",))]
)
async def test_who_still_waits_for_postgres_stops_at_once(here: Works, module: str, words: tuple[str, ...]) -> None:
    asked = asyncio.Event()

    async def silence(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        writer.close()

    async with await asyncio.start_server(silence, "127.0.0.1", 0) as server:
        url = "postgresql://retake@127.0.0.1:{1}/none".format(*server.sockets[0].getsockname())
        async with process(here, module, *words, RETAKE_DATABASE_URL=url) as waiting:
            async with asyncio.timeout(30):
                await asked.wait()
            waiting.send_signal(signal.SIGTERM)
            began = time.monotonic()
            async with asyncio.timeout(20):
                code = await waiting.wait()

    assert code == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10
