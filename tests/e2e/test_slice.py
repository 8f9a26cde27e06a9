"""What people and machines do to a running system: close the tab, upload rubbish, kill a worker in the middle.

Leases and timers run ten times as fast here, so that a lost worker is noticed in seconds.
"""

import io
import os
import signal
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from clips import Clips
from conftest import eventually
from running import Run, descendants, running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

Job = dict[str, Any]


@asynccontextmanager
async def logged_in(run: Run) -> AsyncIterator[httpx.AsyncClient]:
    url, password = await run.until_up(), run.password()
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        token = (await client.post("/api/auth", json={"password": password})).raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def submit(client: httpx.AsyncClient, files: Sequence[Path], takes: int) -> str:
    form = [("videos", (file.name, file.read_bytes(), "video/mp4")) for file in files]
    answer = await client.post("/api/jobs", files=form, data={"variations": str(takes)})
    assert answer.status_code == 202, answer.text
    job: str = answer.json()["jobId"]
    return job


async def show(client: httpx.AsyncClient, job: str) -> Job:
    answer: Job = (await client.get(f"/api/jobs/{job}")).raise_for_status().json()
    return answer


async def ended(client: httpx.AsyncClient, job: str, within: float = 90) -> Job:
    async def look() -> Job | None:
        found = await show(client, job)
        return found if found["status"] in {"completed", "failed", "cancelled"} else None

    found = await eventually(look, within)
    assert found is not None
    return found


async def names_in_zip(client: httpx.AsyncClient, job: str) -> list[str]:
    answer = (await client.get(f"/api/jobs/{job}/download")).raise_for_status()
    assert len(answer.content) == int(answer.headers["Content-Length"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as takes:
        assert takes.testzip() is None
        return sorted(takes.namelist())


async def rows(run: Run, statement: str) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(run.environment()["RETAKE_DATABASE_URL"]) as connection:
        return await (await connection.execute(statement.encode())).fetchall()


async def left_over(run: Run) -> tuple[list[str], list[str]]:
    """Files in work, and objects no row speaks of."""
    scratch = [str(folder) for folder in (run.data / "scratch").glob("*/[0-9]*")]
    known = {
        key
        for (key,) in await rows(
            run,
            "SELECT key FROM variation WHERE key IS NOT NULL UNION SELECT thumb_key FROM variation"
            " UNION SELECT thumb_key FROM video UNION SELECT key FROM chunk",
        )
    }
    top = run.data / "s3" / "retake"
    there = {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}
    return scratch, sorted(there - known)


def ffmpegs(run: Run) -> list[int]:
    return [pid for pid in descendants(run.process.pid) if "ffmpeg" in command(pid)]


def command(pid: int) -> str:
    """Nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


async def test_what_was_accepted_is_done_although_its_client_was_killed_at_once(tmp_path: Path, clips: Clips) -> None:
    async with running(tmp_path, RETAKE_TIME_SCALE="0.1") as run:
        async with logged_in(run) as client:
            job = await submit(client, [clips("motion")], 2)

        async with logged_in(run) as later:
            done = await ended(later, job)
            names = await names_in_zip(later, job)

    assert (done["status"], done["progress"]) == ("completed", 1)
    assert names == ["manifest.csv", "manifest.json", "motion/motion_var1.mp4", "motion/motion_var2.mp4"]


async def test_bad_videos_fail_each_with_its_own_sentence_and_the_good_ones_are_delivered(
    tmp_path: Path, clips: Clips
) -> None:
    bad = ("bit_flipped", "truncated", "sound_only")
    async with running(tmp_path, RETAKE_TIME_SCALE="0.1") as run, logged_in(run) as client:
        files = [clips("motion"), *(clips(name) for name in bad), clips("vertical")]

        job = await ended(client, await submit(client, files, 1))
        names = await names_in_zip(client, job["jobId"])
        scratch, orphans = await left_over(run)

    by_name = {Path(file["name"]).stem: file for file in job["files"]}
    assert job["status"] == "completed"
    assert {name: by_name[name]["status"] for name in by_name} == {
        "motion": "completed", "vertical": "completed", **dict.fromkeys(bad, "failed")
    }  # fmt: skip
    sentences = {by_name[name]["error"] for name in bad}
    assert len(sentences) == len(bad)
    assert all(sentence.endswith(".") and "ffmpeg" not in sentence.lower() for sentence in sentences)
    assert names == ["manifest.csv", "manifest.json", "motion/motion_var1.mp4", "vertical/vertical_var1.mp4"]
    assert (scratch, orphans) == ([], [])


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to end"])
async def test_takes_that_were_finished_before_a_worker_went_are_not_rendered_again(
    tmp_path: Path, clips: Clips, stop: signal.Signals
) -> None:
    async with running(tmp_path, RETAKE_TIME_SCALE="0.1") as run, logged_in(run) as client:
        job = await submit(client, [clips(name) for name in ("motion", "vertical", "mov", "unicode")], 5)
        finished = "SELECT video_id, index, claim FROM variation WHERE state = 'completed'"

        async def is_held_in_a_later_video() -> bool:
            """Frozen while its ffmpeg works, and so not between storing a take and committing it."""
            if not await rows(run, finished) or not ffmpegs(run):
                return False
            os.kill(run.pid("worker-1"), signal.SIGSTOP)
            if ffmpegs(run):
                return True
            os.kill(run.pid("worker-1"), signal.SIGCONT)
            return False

        await eventually(is_held_in_a_later_video, within=90)
        os.kill(run.pid("worker-1"), stop)
        os.kill(run.pid("worker-1"), signal.SIGCONT)
        before = await rows(run, finished)
        done = await ended(client, job)
        after = await rows(run, finished)
        scratch, orphans = await left_over(run)
        encoders = ffmpegs(run)

    assert done["status"] == "completed"
    assert [file["completedVariations"] for file in done["files"]] == [5, 5, 5, 5]
    assert len(before) < len(after) == 20
    assert set(before) <= set(after)
    assert (encoders, scratch, orphans) == ([], [], [])
