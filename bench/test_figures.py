"""What being watched costs: CPU of a request for metrics and logs, and a scrape of an API that knows 10,000 jobs."""

import contextlib
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from bench.figures import at, tell
from bench.test_jobs import jobs_with_takes
from starlette.types import ASGIApp, Receive, Scope, Send

from api.process import log_in, running
from retake import logs, metrics
from retake.store.connect import Database
from retake.store.tally import MOST, tally
from retake.store.workspaces import ensure_workspace
from retake_api.request_figures import RequestFigures
from retake_api.request_log import RequestLog

pytestmark = [pytest.mark.anyio, pytest.mark.bench]

REQUESTS, ROUNDS = 3000, 7
JOBS, WAITING, SCRAPES = 10_000, 10_000, 50


class Route:
    path = "/api/jobs/{job_id}"


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """As little as an app can do."""
    scope["route"] = Route
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b"{}"})


async def cost(app: ASGIApp) -> float:
    """CPU microseconds of a request."""

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(_message: object) -> None:
        return

    began = time.process_time()
    for n in range(REQUESTS):
        await app({"type": "http", "method": "GET", "path": f"/api/jobs/{n}", "headers": []}, receive, send)
    return 1e6 * (time.process_time() - began) / REQUESTS


@contextlib.contextmanager
def logged_nowhere() -> Iterator[None]:
    """Logs are written as they are in a container, by nobody else, and to where nobody reads them."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        logs.configure("api", "info")
        yield
    root.handlers = before
    root.setLevel(level)
    structlog.reset_defaults()


async def test_metrics_and_logs_of_a_request() -> None:
    alone, counted, both = [], [], []
    with logged_nowhere():
        for _ in range(ROUNDS):
            alone.append(await cost(answering))
            counted.append(await cost(RequestFigures(answering)))
            both.append(await cost(RequestFigures(RequestLog(answering))))

    least = min(both) - min(alone)  # whoever else is on the machine only adds
    tell("metrics of a request, CPU", min(counted) - min(alone), "us", "told")
    tell("metrics and log of a request, CPU", least, "us", "<= 50")
    assert least <= 50


@pytest.mark.unsound("I1", "I9", "I10", why="parts wait for videos that are completed: it is how many that counts")
async def test_a_scrape_of_many_jobs(environment: dict[str, str], database: Database, tmp_path: Path) -> None:
    async with running(environment, tmp_path) as api, httpx.AsyncClient(base_url=api.url, timeout=30) as client:
        client.headers.update(await log_in(api))
        await jobs_with_takes(database, JOBS, 3, 5)
        async with database.transaction() as connection:
            await connection.execute(_WAITING, (WAITING,))
            await connection.execute("ANALYZE")
        await touch_every_route(client)
        spent, times = api.cpu(), []
        for _ in range(SCRAPES):
            began = time.perf_counter()
            told = (await client.get(api.metrics)).content
            times.append(1000 * (time.perf_counter() - began))
        spent = 1000 * (api.cpu() - spent) / SCRAPES
        fresh = []
        for _ in range(10):
            await client.get("/api/health")
            time.sleep(1.1)  # noqa: ASYNC251  so that the rows are read anew
            began = time.perf_counter()
            await client.get(api.metrics)
            fresh.append(1000 * (time.perf_counter() - began))

    tell("samples", len(re.findall(rb"^\w", told, re.MULTILINE)), "", "told")
    tell("a scrape, bytes", len(told) / 1000, "KB", "< 200")
    tell("a scrape, CPU of the API", spent, "ms", "told")
    tell("a scrape, p50", at(0.5, times), "ms", "told")
    tell(f"a scrape that reads rows, {JOBS:,} jobs, {WAITING:,} parts wait, p50", at(0.5, fresh), "ms", "told")
    tell("the same, the least of them", min(fresh), "ms", "< 50")
    assert len(told) < 200_000
    assert min(fresh) < 50  # whoever else is on the machine only adds


@pytest.mark.unsound("I1", "I9", "I10", why="jobs are planted, and their events: it is how many that counts")
async def test_counting_a_backlog_of_events(database: Database) -> None:
    await ensure_workspace(database, "people")
    await jobs_with_takes(database, MOST // 10, 3, 3)
    async with database.transaction() as connection:
        await connection.execute(_EVENTS)
        await connection.execute("ANALYZE")
    began = time.perf_counter()
    happened = await tally(database, metrics.JOB_BOUNDS)
    took = time.perf_counter() - began

    tell(f"{MOST:,} events counted at once", 1000 * took, "ms", "< 2000")
    assert happened["takes_completed"][()] == 9 * MOST // 10
    assert took < 2


async def touch_every_route(client: httpx.AsyncClient) -> None:
    """So that there is all that there can be, but for statuses."""
    for path, methods in (await client.get("/api/openapi.json")).json()["paths"].items():
        for method in methods:
            if not path.endswith("/events"):
                await client.request(method, re.sub(r"\{\w+\}", "nothing", path))


_EVENTS = """
    INSERT INTO event (workspace, job_id, kind, body)
    SELECT j.workspace, j.id, 'job', '{"status": "queued"}' FROM job j
    UNION ALL
    SELECT j.workspace, j.id, 'variation',
        jsonb_build_object('status', 'completed', 'videoId', v.id, 'index', take.index)
    FROM job j JOIN video v ON v.job_id = j.id JOIN variation take ON take.video_id = v.id
"""
_WAITING = """
    INSERT INTO part (job_id, video_id, kind, indices, state, recipe_version)
    SELECT job_id, id, 'render', ARRAY[1], 'queued', 1 FROM video LIMIT %s
"""
