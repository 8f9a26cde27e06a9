"""Looking at jobs: the list of a workspace with 10,000 of them, and one job with 10 videos of 20 takes."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from bench.figures import at, tell
from starlette.datastructures import QueryParams

from api.conftest import rows
from api.process import log_in, running
from retake.store.connect import Database
from retake.store.views import summaries
from retake_api.filters import read_jobs

pytestmark = [pytest.mark.anyio, pytest.mark.bench]

JOBS, VIDEOS, TAKES = 10_000, 3, 5
QUERIES = (
    "", "limit=200", "status=failed", "status=queued,cancelled", "kind=catalog", "q=video+2+of+77", "q=nowhere",
)  # fmt: skip


async def test_the_list_of_many_jobs(environment: dict[str, str], database: Database, tmp_path: Path) -> None:
    slow = []
    async with running(environment, tmp_path) as api, httpx.AsyncClient(base_url=api.url) as client:
        client.headers.update(await log_in(api))
        await jobs_with_takes(database, JOBS, VIDEOS, TAKES)
        for query in QUERIES:
            times = []
            for _ in range(100):
                began = time.perf_counter()
                answer = await client.get(f"/api/jobs?{query}")
                times.append(1000 * (time.perf_counter() - began))
                assert answer.status_code == 200, answer.text
            figure, plan = at(0.5, times), await explained(database, query)
            assert " job_listed " in plan, plan
            assert "Seq Scan" not in plan, plan
            tell(
                f"{JOBS:,} jobs, ?{query}: {len(answer.json())} told, p50",
                figure,
                "ms",
                "told" if "limit" in query else "< 20",
            )
            slow += [query] if figure >= 20 and "limit" not in query else []

    assert slow == []


class Explained(Database):
    """Tells how a statement is run, instead of what it finds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, patience: float = 10) -> AsyncIterator[Any]:
        async with self._database.transaction(patience) as connection:
            yield SimpleNamespace(execute=lambda text, values: connection.execute(f"EXPLAIN ANALYZE {text}", values))


async def explained(database: Database, query: str) -> str:
    [owner] = await rows(database, "SELECT workspace FROM job LIMIT 1")
    asked = read_jobs(QueryParams(query))
    lines = await summaries(Explained(database), owner["workspace"], limit=asked.limit, wanted=asked.wanted)
    return "\n".join(line["QUERY PLAN"] for line in lines)


async def test_one_large_job(environment: dict[str, str], database: Database, tmp_path: Path) -> None:
    count = 500
    async with running(environment, tmp_path) as api, httpx.AsyncClient(base_url=api.url) as client:
        client.headers.update(await log_in(api))
        await jobs_with_takes(database, 1, 10, 20)
        [job] = (await client.get("/api/jobs")).json()
        address = f"/api/jobs/{job['id']}"
        for _ in range(50):
            answer = await client.get(address)
        assert len(answer.json()["files"][9]["variations"]) == 20

        spent, began = api.cpu(), time.perf_counter()
        for _ in range(count):
            assert (await client.get(address)).status_code == 200
        spent, took = api.cpu() - spent, time.perf_counter() - began

    tell(f"10 videos of 20 takes, {len(answer.content):,} bytes, one after another", count / took, "/s", "told")
    tell("the same, per second of the API's processor time", count / spent, "/s", ">= 300")
    assert count / spent >= 300


async def jobs_with_takes(database: Database, jobs: int, videos: int, takes: int) -> None:
    """Ended jobs, a hundredth of them failed, of one source."""
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL statement_timeout = 0")
        for statement in (_JOBS, _VIDEOS, _TAKES):
            await connection.execute(statement, {"jobs": jobs, "videos": videos, "takes": takes})
        await connection.execute("ANALYZE")


_JOBS = """
    INSERT INTO job (id, workspace, kind, state, variations, options, seed, created_at, ended_at, expires_at, search)
    SELECT gen_random_uuid(), w.id, 'variations', CASE WHEN n %% 100 = 0 THEN 'failed' ELSE 'completed' END, %(takes)s,
        jsonb_build_object('name', 'Job ' || n), n, now() - n * interval '1 s', now(), now() + interval '1 day', (
            SELECT string_agg('video ' || v || ' of ' || n || '.mp4', E'\\n') FROM generate_series(0, %(videos)s) AS v)
    FROM workspace w, generate_series(1, %(jobs)s) AS n
"""
_VIDEOS = """
    WITH source AS (
        INSERT INTO source (id, workspace, state, size, sha256)
        SELECT gen_random_uuid(), id, 'ready', 123456789, repeat('ab', 32) FROM workspace RETURNING id)
    INSERT INTO video (id, job_id, position, name, source_id, state, progress, thumb_key, probe)
    SELECT gen_random_uuid(), job.id, n, 'video ' || n || ' of ' || job.seed || '.mp4', source.id, job.state, 1,
        'thumbs/' || job.id || '/' || n || '.webp',
        '{"frames": 450, "duration": 15.0, "width": 1920, "height": 1080, "fps": "30000/1001", "codec": "h264"}'
    FROM job, source, generate_series(0, %(videos)s - 1) AS n
"""
_TAKES = """
    INSERT INTO variation (video_id, index, recipe, state, claim, key, thumb_key, size, crc32, sha256, duration,
        distance, error_code, error)
    SELECT v.id, n, jsonb_build_object('seed', n, 'effects', repeat('zoom colour noise ', 20)), v.state, done.claim,
        done.key, done.key || '.webp', done.size, done.crc32, done.sha256, 15.015,
        '{"look": 0.123, "sound": 0.4, "source": 0.321, "nearest": 3, "near": false}',
        CASE WHEN v.state = 'failed' THEN 'encoder' END, CASE WHEN v.state = 'failed' THEN 'Not encoded.' END
    FROM video v CROSS JOIN generate_series(1, %(takes)s) AS n
    LEFT JOIN LATERAL (SELECT 7 AS claim, 'results/' || v.id || '/' || n || '.7.mp4' AS key, 12345678 AS size,
        99 AS crc32, repeat('cd', 32) AS sha256) done ON v.state = 'completed'
"""
