"""Slots of one worker: all are used, and what happens in one stays in it."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clips import Clips
from conftest import eventually
from faults.works import Works, works
from retake.audit import audit
from retake.blobs.bucket import Blobs
from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.settings import Bucket, Nats, Postgres
from retake.store.jobs import NewJob, wish
from worker.hostile import scripted

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(postgres: Postgres, bucket: Bucket, nats: Nats, tmp_path: Path) -> AsyncIterator[Works]:
    quickly = replace(Timing(), retry_first=0.01, retry_most=0.01)
    async with works(postgres, bucket, nats, tmp_path, quickly) as opened:
        yield opened
        assert [v async for v in audit(opened.database, opened.blobs, None, opened.timing, deep=True)] == []


class Watched:
    """A store whose uploads a test sees, and may hold up or break."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.fetched: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    async def get(self, key: str) -> bytes:
        self.fetched.append(key)
        return await self._blobs.get(key)

    async def put_file(self, key: str, file: Path) -> int:
        await self.storing(key)
        return await self._blobs.put_file(key, file)

    async def storing(self, key: str) -> None:
        raise NotImplementedError


class Together(Watched):
    """Nothing is stored before so many claims have something to store."""

    def __init__(self, blobs: Blobs, claims: int) -> None:
        super().__init__(blobs)
        self._claims, self._seen, self._all = claims, set[str](), asyncio.Event()

    async def storing(self, key: str) -> None:
        self._seen.add(key.split(".")[-2])
        if len(self._seen) == self._claims:
            self._all.set()
        await self._all.wait()


async def test_twenty_takes_of_one_video_use_all_four_slots_and_one_download(here: Works) -> None:
    new, together = await here.submit(takes=20), Together(here.blobs, 4)

    async def is_completed() -> bool:
        return await here.state(new) == "completed"

    async with here.relaying(), here.working(slots=4, blobs=together):
        await eventually(is_completed, within=60)

    assert await here.sql("SELECT count(*) AS n FROM variation WHERE state = 'completed'") == [{"n": 20}]
    assert len(together.fetched) == 1


class Mixed(Watched):
    """The disk is full for one job, once; another meets an error of ours; one more waits until both have had theirs."""

    def __init__(self, blobs: Blobs, full: NewJob, broken: NewJob, calm: NewJob) -> None:
        super().__init__(blobs)
        self._full, self._broken, self._calm = str(full.id), str(broken.id), str(calm.id)
        self._filled, self._broke = asyncio.Event(), asyncio.Event()

    async def storing(self, key: str) -> None:
        if self._full in key and not self._filled.is_set():
            self._filled.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        if self._broken in key:
            self._broke.set()
            raise RuntimeError("an error of ours")
        if self._calm in key:
            await asyncio.gather(self._filled.wait(), self._broke.wait())


async def kill_its_ffmpeg(here: Works, new: NewJob) -> None:
    """As the kernel does when memory is short, the first time that takes of this job are made."""

    async def runs() -> list[int]:
        parts = await here.sql(
            "SELECT id FROM part WHERE job_id = %s AND kind = 'render' AND state = 'running'", new.id
        )
        return [pid for part in parts for pid in in_folder(here.scratch / "worker", f"{part['id']}.")]

    for pid in await eventually(runs, within=30):
        os.kill(pid, signal.SIGKILL)


def in_folder(top: Path, start: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str((process / "cwd").readlink()).startswith(f"{top}/{start}"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


async def test_what_happens_in_one_slot_stays_in_it(here: Works, clips: Clips) -> None:
    full, broken, calm = [await here.submit(takes=2) for _ in range(3)]
    killed = await here.submit(clips("motion").read_bytes(), takes=2)
    mixed = Mixed(here.blobs, full, broken, calm)

    async def ended() -> bool:
        rows = await here.sql("SELECT 1 AS one FROM job WHERE ended_at IS NULL")
        return not rows

    async with here.relaying(), here.working(slots=4, blobs=mixed):
        await kill_its_ffmpeg(here, killed)
        await eventually(ended, within=60)

    assert [await here.state(new) for new in (full, broken, calm, killed)] == [
        "completed", "failed", "completed", "completed",
    ]  # fmt: skip
    assert await here.sql("SELECT DISTINCT error_code FROM variation WHERE state = 'failed'") == [
        {"error_code": "internal"}
    ]
    assert await here.sql("SELECT DISTINCT failures FROM part") == [{"failures": 0}]
    assert list(here.scratch.glob("*/[0-9]*")) == []


FILLS_THE_DISK = """
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # which Python ignores, and ffmpeg does not
with open('endless', 'wb') as file:
    while True: file.write(bytes(2**20))
"""
HOARDS = "import mmap; hoard = [mmap.mmap(-1, 2**30) for _ in range(9)]"
DIES = "signal.raise_signal(signal.SIGKILL)"
FORKS = "for _ in range(500): os.fork()"


@pytest.mark.parametrize(
    ("hostile", "code"),
    [(FILLS_THE_DISK, "corrupt"), (HOARDS, "out_of_memory"), (DIES, "out_of_memory"), (FORKS, "corrupt")],
    ids=["fills the disk", "hoards memory", "is killed", "forks"],
)
async def test_a_hostile_ffmpeg_fails_its_video_with_a_sentence_and_nothing_else(
    here: Works, tmp_path: Path, hostile: str, code: str
) -> None:
    fake = scripted(tmp_path / "fake-ffmpeg", hostile)
    bad, good = await here.submit(), await here.submit()

    async def failed() -> bool:
        return await here.state(bad) == "failed"

    async def completed() -> bool:
        return await here.state(good) == "completed"

    await wish(here.database, good.id, Wish.PAUSE)
    async with here.relaying():
        async with here.working("hostile", ffmpeg=fake):
            await eventually(failed, within=30)
        await wish(here.database, good.id, Wish.RUN)
        async with here.working("sound"):
            await eventually(completed, within=30)

    (video,) = await here.sql("SELECT error_code, error FROM video WHERE job_id = %s", bad.id)
    assert video["error_code"] == code
    assert video["error"].endswith(".")
    assert await here.sql("SELECT DISTINCT failures FROM part") == [{"failures": 0}]
    assert in_folder(here.scratch, "") == []
    assert list(here.scratch.glob("*/[0-9]*")) == []
