"""What happens in an installation that is watched: good videos and a bad one, a worker that is killed in the middle, a
job that is deleted, a download, somebody who listens, addresses that are none, and the janitor at the end.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from clips import Clips
from conftest import eventually
from faults.rig import Rig, Size, rigged
from observe.prometheus import Prometheus, scraping

GOOD, BAD, TAKES = ("motion", "mov", "unicode"), "truncated", 2
SIZE = Size(scale=0.05, apis=1, slots=(3,), pause=0.5)


@dataclass
class Day:
    rig: Rig
    prometheus: Prometheus
    client: httpx.AsyncClient
    """Logged in."""
    uploaded: int = 0
    downloaded: int = 0
    lost: int = 0
    began: float = 0
    """When the first figures were there, by Prometheus."""

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        return await self.rig.eyes.see(statement)

    async def submit(self, files: list[Path]) -> str:
        form = [("videos", (file.name, file.read_bytes(), "video/mp4")) for file in files]
        answer = await self.client.post("/api/jobs", files=form, data={"variations": str(TAKES)})
        assert answer.status_code == 202, answer.text
        self.uploaded += sum(file.stat().st_size for file in files)
        job: str = answer.json()["jobId"]
        return job

    async def kill_the_worker_with_all_slots_busy(self) -> None:
        """Frozen before it is looked at again: what it had then, it has when it is killed."""
        (worker,) = self.rig.workers
        running = "SELECT count(*) AS n FROM part WHERE state = 'running' AND kind = 'render'"

        async def held() -> bool:
            self.rig.signal(worker, signal.SIGSTOP)
            (row,) = await self.rows(running)
            if row["n"] == SIZE.slots[0]:
                return True
            self.rig.signal(worker, signal.SIGCONT)
            return False

        await eventually(held, within=60)
        self.lost = SIZE.slots[0]
        self.rig.signal(worker, signal.SIGKILL)

    async def ended(self, job: str) -> None:
        async def is_over() -> bool:
            return (await self.client.get(f"/api/jobs/{job}")).json()["endedAt"] is not None

        await eventually(is_over, within=90)


@asynccontextmanager
async def a_day(folder: Path, clips: Clips) -> AsyncIterator[Day]:
    """It is over, but for whoever listens, and everything still runs."""
    async with rigged(folder / "rig", SIZE) as rig:
        ports = {
            name: [int(child.program.env["RETAKE_METRICS_PORT"]) for child in children]
            for name, children in {"api": rig.apis, "worker": rig.workers}.items()
        }
        url = f"http://127.0.0.1:{rig.apis[0].program.env['RETAKE_API_PORT']}"
        async with scraping(ports, folder) as prometheus, httpx.AsyncClient(base_url=url, timeout=30) as client:
            token = (await client.post("/api/auth", json={"password": "shared"})).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            day = Day(rig, prometheus, client)
            await eventually(lambda: prometheus.ask("retake_jobs_accepted_total and on () retake_worker_slots"), 30)
            day.began = await prometheus.one("vector(time())") or 0
            async with client.stream("GET", "/api/events"):
                await _pass(day, clips)
                yield day


async def _pass(day: Day, clips: Clips) -> None:
    client = day.client
    job = await day.submit([*(clips(name) for name in GOOD), clips(BAD)])
    await day.kill_the_worker_with_all_slots_busy()
    for path in ("/api/jobs/nothing", "/nothing/at/all", "/api/nothing"):
        assert (await client.get(path)).status_code == 404
    await day.ended(job)
    day.downloaded = len((await client.get(f"/api/jobs/{job}/download")).content)
    other = await day.submit([clips("motion")])
    assert (await client.delete(f"/api/jobs/{other}")).status_code == 202
    await eventually(lambda: day.prometheus.ask('ALERTS{alertname="RetakeJanitorSilent",alertstate="firing"}'), 30)
    janitor = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "retake_janitor", env={**day.rig.environment}, stdout=asyncio.subprocess.DEVNULL
    )
    assert await janitor.wait() == 0
