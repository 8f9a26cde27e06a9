"""Jobs as people look at them. Each view is one statement, so that all it shows was true at one moment."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from retake.store.connect import Database

Row = Mapping[str, Any]


async def summaries(
    database: Database, workspace: UUID, *, limit: int, before: tuple[datetime, UUID] | None = None
) -> Sequence[Row]:
    """A workspace's jobs, newest first, from the one `before` names on. Deleted ones are gone at once."""
    at, job = before or (None, None)
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id, j.options ->> 'name' AS name, j.kind, j.state, j.variations, j.created_at, j.ended_at,
                   j.expires_at, j.expired_because, videos.*, takes.*
            FROM (
                SELECT * FROM job
                WHERE workspace = %(workspace)s AND expired_because IS DISTINCT FROM 'deleted'
                    AND (%(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s, %(job)s))
                ORDER BY created_at DESC, id DESC LIMIT %(limit)s
            ) j
            CROSS JOIN LATERAL (
                SELECT count(*) AS videos, avg(v.progress) AS progress, array_agg(v.name ORDER BY v.position) AS names,
                       count(*) FILTER (WHERE v.state = 'failed' AND NOT EXISTS (
                           SELECT FROM variation WHERE video_id = v.id)) AS barren
                FROM video v WHERE v.job_id = j.id
            ) videos
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE a.state = 'completed') AS completed,
                       count(*) FILTER (WHERE a.state = 'failed') AS failed
                FROM video v JOIN variation a ON a.video_id = v.id WHERE v.job_id = j.id
            ) takes
            ORDER BY j.created_at DESC, j.id DESC
            """,
            {"workspace": workspace, "limit": limit, "at": at, "job": job},
        )
        return await rows.fetchall()


async def job_view(database: Database, workspace: UUID, job: UUID) -> Row | None:
    """A job with its videos and their takes; None when there is none, it is another's, or it was deleted."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id, j.options ->> 'name' AS name, j.kind, j.wish, j.state, j.variations, j.seed, j.created_at,
                   j.started_at, j.ended_at, j.expires_at, j.expired_because, videos.list AS videos
            FROM job j
            CROSS JOIN LATERAL (
                SELECT json_agg(json_build_object(
                    'id', v.id, 'name', v.name, 'state', v.state, 'progress', v.progress, 'probe', v.probe,
                    'distinctness', v.distinctness,
                    'error_code', v.error_code, 'error', v.error, 'size', s.size, 'sha256', s.sha256,
                    'takes', coalesce(takes.list, '[]')) ORDER BY v.position) AS list
                FROM video v JOIN source s ON s.id = v.source_id
                CROSS JOIN LATERAL (
                    SELECT json_agg(json_build_object(
                        'index', a.index, 'state', a.state, 'size', a.size, 'duration', a.duration,
                        'distance', a.distance, 'error_code', a.error_code, 'error', a.error,
                        'frames', (
                            SELECT (p.frames ->> a.index::text)::integer FROM part p
                            WHERE p.video_id = v.id AND p.state = 'running' AND a.index = ANY(p.indices)))
                        ORDER BY a.index) AS list
                    FROM variation a WHERE a.video_id = v.id
                ) takes
                WHERE v.job_id = j.id
            ) videos
            WHERE j.id = %s AND j.workspace = %s AND j.expired_because IS DISTINCT FROM 'deleted'
            """,
            (job, workspace),
        )
        return await rows.fetchone()


async def recipes(database: Database, video: UUID) -> dict[int, Any]:
    """By index of the take; they never change."""
    async with database.transaction() as connection:
        rows = await connection.execute("SELECT index, recipe FROM variation WHERE video_id = %s", (video,))
        return {row["index"]: row["recipe"] for row in await rows.fetchall()}


async def video_ids(database: Database, job: UUID) -> list[UUID]:
    async with database.transaction() as connection:
        rows = await connection.execute("SELECT id FROM video WHERE job_id = %s ORDER BY position", (job,))
        return [row["id"] for row in await rows.fetchall()]
