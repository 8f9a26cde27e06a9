"""One real system and the life of one job in it, with everything that is secret shown to it, and what is left to see.

The job is announced twice, since the worker does not come for it at first, and its bad video is tried again by hand.
Then the receiver of traces hangs, another job goes on as ever, and everything stops. Leases and timers run ten times as
fast.
"""

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from clips import Clips
from collector import Collector, Span
from conftest import eventually
from e2e.test_slice import ended, logged_in, rows
from retake.api_keys import make
from running import Run, running

ASKED = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
PLANTED = "pl4nted-s3cret"

OF_THE_API = {"upload", "accept", "announce", "webhook", "download"}
OF_THE_WORKER = {"claim", "inspect", "render", "fetch", "ffmpeg", "encode", "store", "commit"}


@dataclass
class Seen:
    """What is left when it is over."""

    data: Path
    traces: Collector
    job: str = ""
    bad: str = ""
    story: str = ""
    stopped: int = -1
    secrets: dict[str, str] = field(default_factory=dict)
    later: dict[str, Any] = field(default_factory=dict)
    hooks: int = 0

    @property
    def tree(self) -> dict[str, Span]:
        return self.traces.tree(ASKED)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.tree.values() if span.name == name]


async def observed(place: Path, clips: Clips, traces: Collector) -> Seen:
    key, line = make("nightly", "team-a", "read,submit")
    (place / "keys").write_text(f"{line}\n")
    seen = Seen(place / "data", traces, secrets={"API key": key})
    settings = {
        "RETAKE_TIME_SCALE": "0.1",
        "RETAKE_LOG_LEVEL": "debug",
        "RETAKE_API_KEYS": str(place / "keys"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": traces.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-tenant=retake,authorization=Bearer%20{PLANTED}-collector",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    async with receiver(seen) as hook, running(seen.data, **settings) as run:
        async with logged_in(run) as client:
            await live(seen, run, client, clips, hook)
            await strangers(seen, run, client)
            await everything_is_told(seen, run)
            seen.story = (await run.call("logs", seen.job))[1]
            traces.hangs.set()
            answer = await eventually(lambda: taken(client, clips("motion")), within=30)
            seen.later = await ended(client, answer.json()["jobId"])
            await asyncio.to_thread(traces.hung.wait, 10)
        seen.stopped = await run.end()
    return seen


@asynccontextmanager
async def receiver(seen: Seen) -> AsyncIterator[str]:
    """The address of one for webhooks, which refuses the first."""

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        seen.hooks += 1
        writer.write(b"HTTP/1.1 410 Never\r\n\r\n" if seen.hooks == 1 else b"HTTP/1.1 204 Yes\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{PLANTED}-path?key={PLANTED}-query"


async def submit(client: httpx.AsyncClient, *files: Path, **options: str) -> httpx.Response:
    form = [("videos", (file.name, file.read_bytes(), "video/mp4")) for file in files]
    return await client.post(
        "/api/jobs", files=form, data={"variations": "2", "options": json.dumps(options)},
        headers={"traceparent": f"00-{ASKED}-{CALLER}-01"} if options else {},
    )  # fmt: skip


async def taken(client: httpx.AsyncClient, file: Path) -> httpx.Response | None:
    """None while the API still notices that its servers died and came back."""
    answer = await submit(client, file)
    assert answer.status_code in (202, 503), answer.text
    return answer if answer.status_code == 202 else None


async def live(seen: Seen, run: Run, client: httpx.AsyncClient, clips: Clips, hook: str) -> None:
    """The life of the job, and what its people do with it."""
    os.kill(run.pid("worker-1"), signal.SIGSTOP)
    bad = run.data / "scrambled.mp4"
    bad.write_bytes(scrambled(clips("motion").read_bytes()))
    accepted = (await submit(client, clips("motion"), bad, callbackUrl=hook)).json()
    seen.job, seen.bad = accepted["jobId"], accepted["files"][1]["id"]
    await eventually(lambda: rows(run, f"SELECT FROM part WHERE job_id = '{seen.job}' AND generation > 1"))
    os.kill(run.pid("worker-1"), signal.SIGCONT)
    shown = await ended(client, seen.job)
    assert [file["status"] for file in shown["files"]] == ["completed", "failed"]
    (await client.post(f"/api/jobs/{seen.job}/files/{seen.bad}/retry")).raise_for_status()
    await ended(client, seen.job)
    (await client.get(f"/api/jobs/{seen.job}/download")).raise_for_status()


def scrambled(data: bytes) -> bytes:
    """What no decoder makes anything of, and each complains about."""
    size, _, rest = data.partition(b"mdat")
    length = int.from_bytes(size[-4:]) - 8
    return size + b"mdat" + random.Random(2).randbytes(length) + rest[length:]


async def strangers(seen: Seen, run: Run, client: httpx.AsyncClient) -> None:
    """Everything that is secret is shown to the API, rightly and wrongly, and the servers die under it."""
    link = (await client.post(f"/api/jobs/{seen.job}/link")).raise_for_status().json()["url"]
    token = client.headers["Authorization"].removeprefix("Bearer ")
    seen.secrets |= {"token": token, "link": link.partition("link=")[2]}
    seen.secrets |= json.loads((run.data / "credentials.json").read_text())
    seen.secrets["webhook secret"] = (run.data / "webhook-secret").read_text().strip()
    seen.secrets |= {"password": run.password(), "planted": PLANTED}
    async with httpx.AsyncClient(base_url=str(client.base_url)) as other:
        opened = [
            await other.get(link),
            await other.get("/api/jobs", headers={"Authorization": f"Bearer {seen.secrets['API key']}"}),
            await other.get("/api/jobs", headers={"Cookie": f"retake_session={token}"}),
        ]
        refused = [
            await other.post("/api/auth", json={"password": f"{PLANTED}-wrong"}),
            await other.get("/api/jobs", headers={"Authorization": f"Bearer {PLANTED}", "Cookie": f"a={PLANTED}"}),
            await other.get(f"/api/jobs/{seen.job}/download?link={PLANTED}"),
            await client.post("/api/jobs", json={"uploads": [], "options": {"callbackUrl": f"ftp://{PLANTED}/"}}),
        ]
    assert [one.status_code for one in opened] == [200] * 3
    assert [one.status_code for one in refused] == [401, 401, 401, 422]
    for part in ("nats", "s3", "postgres"):
        os.kill(run.pid(part), signal.SIGKILL)
        await run.until(rf"{part} is up again")


async def everything_is_told(seen: Seen, run: Run) -> None:
    async def no_hook_waits() -> bool:
        return not await rows(run, f"SELECT FROM delivery WHERE job_id = '{seen.job}' AND state = 'waiting'")

    async def all_arrived() -> bool:
        names = {span.name for span in seen.tree.values()}
        return names >= OF_THE_API | OF_THE_WORKER and len(seen.named("webhook")) >= seen.hooks

    await eventually(no_hook_waits, within=30)
    await eventually(all_arrived)
