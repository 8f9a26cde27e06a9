"""A durable stack of one's own to be measured, and rows that are put into it by the thousand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from faults.rig import Rig, Size, rigged

_WORKER = Path(__file__).with_name("timed_worker.py")


@asynccontextmanager
async def stack(folder: Path, *slots: int) -> AsyncIterator[Rig]:
    """One worker for each number of slots, and an API; without workers only the servers."""
    async with rigged(folder, Size(scale=1, apis=1 if slots else 0, slots=slots, worker=_WORKER)) as rig:
        yield rig


async def backlog(rig: Rig, jobs: int, parts: int) -> list[int]:
    """So many jobs under way, each with so many parts that wait; returns the parts, taking turns between the jobs."""
    await rig.eyes.see(_JOBS, rig.workspaces[0], jobs)
    await rig.eyes.see(_PARTS, parts)
    await rig.eyes.see("VACUUM ANALYZE")
    return [row["id"] for row in await rig.eyes.see("SELECT id FROM part ORDER BY id")]


_JOBS = """
    WITH source AS (
        INSERT INTO source (id, workspace, state, size) VALUES (gen_random_uuid(), %s, 'ready', 1)
        RETURNING id, workspace),
    job AS (
        INSERT INTO job (id, workspace, kind, state, started_at, variations, seed)
        SELECT gen_random_uuid(), source.workspace, 'variations', 'processing', now(), 1, 1
        FROM source, generate_series(1, %s) RETURNING id)
    INSERT INTO video (id, job_id, position, name, source_id, state)
    SELECT gen_random_uuid(), job.id, 0, 'a.mp4', source.id, 'processing' FROM job, source
"""
_PARTS = """
    INSERT INTO part (job_id, video_id, kind, indices, state, recipe_version)
    SELECT v.job_id, v.id, 'render', ARRAY[n], 'queued', 1 FROM generate_series(1, %s) AS n, video v ORDER BY n, v.id
"""
