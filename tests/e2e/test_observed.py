"""What can be seen of a job from outside: one real system, one job with a bad video, its story, its trace, no secret.

The job is announced twice, since the worker does not come for it at first, and its bad video is tried again by hand.
Then the receiver of traces hangs, another job goes on as ever, and everything stops at once. Leases and timers run ten
times as fast.
"""

import asyncio
import json
import os
import random
import re
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from clips import Clips
from collector import Collector, Span, collecting
from conftest import eventually
from e2e.test_slice import ended, logged_in, rows
from retake.api_keys import make
from running import Run, running

pytestmark = pytest.mark.timeout(120)

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


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, clips: Clips) -> Iterator[Seen]:
    with collecting() as traces:
        yield asyncio.run(observed(tmp_path_factory.mktemp("observed"), clips, traces))


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


def test_a_job_is_one_tree_below_the_request_that_made_it_across_all_processes(seen: Seen) -> None:
    tree = seen.tree

    roots = [span for span in tree.values() if span.parent not in tree]
    assert [(span.name, span.parent) for span in roots] == [("POST /api/jobs", CALLER)]
    below = {(span.name, tree[span.parent].name) for span in tree.values() if span.parent in tree}
    assert below >= {
        ("upload", "POST /api/jobs"), ("accept", "POST /api/jobs"), ("announce", "accept"), ("claim", "announce"),
        ("inspect", "announce"), ("render", "announce"), ("fetch", "inspect"), ("ffmpeg", "inspect"),
        ("commit", "inspect"), ("fetch", "render"), ("encode", "render"), ("ffmpeg", "encode"), ("store", "render"),
        ("commit", "render"), ("webhook", "accept"), ("download", "accept"),
    }  # fmt: skip
    assert {span.name for span in tree.values() if span.service == "retake-api"} == {"POST /api/jobs", *OF_THE_API}
    assert {span.name for span in tree.values() if span.service == "retake-worker"} == OF_THE_WORKER
    assert {span.about["retake.job"] for span in tree.values() if "retake.job" in span.about} == {seen.job}


def test_spans_say_which_part_take_and_outcome_they_are_of(seen: Seen) -> None:
    claims = {(span.about["retake.part"], span.about.get("retake.claim")) for span in seen.named("claim")}
    outcomes = {"retake.claim" in span.about: span.about["retake.outcome"] for span in seen.named("claim")}
    stored = {span.about["retake.take"] for span in seen.named("store")}
    committed = {span.about["retake.take"] for span in seen.named("commit") if "retake.take" in span.about}
    (render,) = seen.named("render")

    assert (render.about["retake.part"], render.about["retake.claim"]) in claims
    assert render.about["retake.outcome"] == "done"
    assert outcomes == {True: "claimed", False: "refused"}  # what was announced twice
    assert stored == committed == {1, 2}
    assert [span.about["retake.takes"] for span in seen.named("encode")] == [[1, 2]]
    assert {span.about["retake.outcome"] for span in seen.named("inspect")} == {"done", "failed"}
    assert "corrupt" in {span.about.get("retake.outcome") for span in seen.named("commit")}
    assert [span.failed for span in seen.named("webhook")].count(True) == 1 < seen.hooks
    assert seen.named("POST /api/jobs")[0].about["http.response.status_code"] == 202


def test_a_part_that_is_announced_anew_or_tried_again_joins_the_tree(seen: Seen) -> None:
    told = [(span.about["retake.part"], span.about["retake.generation"]) for span in seen.named("announce")]
    inspected = [span.about["retake.claim"] for span in seen.named("inspect") if span.about["retake.video"] == seen.bad]

    assert len(set(told)) == len(told)
    assert min(told) == (min(told)[0], 1)
    assert (min(told)[0], 2) in told  # the worker did not come
    assert len(inspected) == len(set(inspected)) == 2  # at first, and by hand


def test_a_download_is_linked_to_the_request_that_asked_for_it(seen: Seen) -> None:
    requests = {span.id: span for span in seen.traces.spans if span.name == "GET /api/jobs/{job_id}/download"}

    asked = [requests[link] for span in seen.named("download") for link in span.links]

    assert len(asked) == len(seen.named("download")) >= 1
    assert all(span.trace != ASKED and span.about["retake.job"] == seen.job for span in asked)


def test_the_story_of_a_job_is_told_in_order_across_all_services(seen: Seen) -> None:
    head, *lines = seen.story.splitlines()
    told = [re.sub(r"(part|claim|generation)=\d+ ?|seconds=\S+|video=(\w+) ?", _short(seen), line) for line in lines]

    assert head.startswith(f"job {seen.job}, ")
    assert ASKED in head
    times = [line[:12] for line in lines if re.match(r"\d\d:", line)]
    assert times == sorted(times)
    in_order(
        told,
        r"api +accepted +videos=2 takes=4", r"api +request +POST /api/jobs 202",
        r"api +part announced +good kind=inspect", r"worker-1 +part claimed +good kind=inspect",
        r"worker-1 +video planned +good takes=2", r"api +part announced +good kind=render",
        r"worker-1 +part claimed +good kind=render", r"worker-1 +take completed +good take=1",
        r"worker-1 +take completed +good take=2", r"worker-1 +video completed +good", r"GET /api/jobs/\S+/download 200",
    )  # fmt: skip
    in_order(
        told,
        *2 * (r"api +part announced +bad kind=inspect", r"worker-1 +part claimed +bad kind=inspect",
              r"worker-1 +bad input +bad code=corrupt", r"why\|", r"worker-1 +video failed +bad",
              r"worker-1 +job completed"),
    )  # fmt: skip
    assert "requests that only looked at it are not shown." in lines[-1]
    assert not any(f"GET /api/jobs/{seen.job} " in line for line in lines)


def _short(seen: Seen) -> Any:
    def short(found: re.Match[str]) -> str:
        return "" if found[2] is None else "bad " if seen.bad.startswith(found[2]) else "good "

    return short


def in_order(lines: list[str], *patterns: str) -> None:
    left = iter(lines)
    for pattern in patterns:
        assert any(re.search(pattern, line) for line in left), f"{pattern} is not there, or not after the one before"


def test_no_log_and_no_span_holds_a_secret(seen: Seen) -> None:
    logs = {log.name: log.read_bytes() for log in (seen.data / "logs").iterdir() if log.is_file()}

    assert {"api.log", "worker-1.log", "janitor.log", "postgres.log", "nats.log", "s3.log"} <= set(logs)
    assert b"trouble with NATS" in logs["api.log"] + logs["worker-1.log"]  # what went wrong was told
    told = logs | {f"span {n}": body for n, body in enumerate(seen.traces.bodies)}
    found = [(where, what) for what, secret in seen.secrets.items() for where in told if secret.encode() in told[where]]
    assert len(seen.secrets) == 10
    assert found == []


def test_the_trace_stands_on_the_lines_of_its_job(seen: Seen) -> None:
    lines = [json.loads(line) for line in (seen.data / "logs" / "worker-1.log").read_text().splitlines()]

    traces = {line.get("trace") for line in lines if line.get("job") == seen.job and "part" in line}

    assert traces == {ASKED}


def test_the_receiver_is_shown_its_headers(seen: Seen) -> None:
    sent = seen.traces.headers[0]

    assert (sent["x-tenant"], sent["authorization"]) == ("retake", f"Bearer {PLANTED}-collector")
    assert sent["content-type"] == "application/x-protobuf"


def test_a_receiver_that_hangs_holds_up_neither_jobs_nor_the_end(seen: Seen) -> None:
    lines = (seen.data / "logs" / "api.log").read_text().splitlines()

    assert seen.traces.hung.is_set()
    assert (seen.later["status"], seen.later["completedVariations"]) == ("completed", 2)
    assert seen.stopped == 0
    assert len([line for line in lines if "traces do not arrive" in line]) <= 1
