"""Jobs as people look at them. Each view is one statement, so that all it shows was true at one moment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from retake.domain.search import folded
from retake.domain.states import State
from retake.store.connect import Database

Row = Mapping[str, Any]

KINDS = ("variations", "catalog")
FILES = 200
"""So many of its files a job is shown with."""


@dataclass(frozen=True)
class Wanted:
    """Which jobs a list is of: `words` stand in the job's name or in one of its files'; `only` these, or all."""

    states: Collection[str] = tuple(State)
    kinds: Collection[str] = KINDS
    words: str = ""
    only: Collection[UUID] | None = None


@dataclass(frozen=True)
class Page:
    """Which of its videos a job is shown with; `only` one, or so many of those in some states."""

    states: Collection[str] = tuple(State)
    only: UUID | None = None
    skip: int = 0
    most: int = FILES
    recipes: bool = False


async def summaries(
    database: Database,
    workspace: UUID,
    *,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
    wanted: Wanted = Wanted(),
) -> Sequence[Row]:
    """A workspace's jobs, newest first, from the one `before` names on.

    Deleted ones are gone at once, expired ones after a week. Each kind and state is read by itself, in the order of its
    index, so that few jobs are looked at however rare the wanted ones are.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id, j.options ->> 'name' AS name, j.kind, j.state, j.created_at, j.ended_at, j.expires_at,
                   j.expired_because, j.kept, j.variations, job_sum.*
            FROM (
                SELECT listed.* FROM unnest(%(kinds)s::text[]) AS kinds (kind)
                CROSS JOIN unnest(%(states)s::text[]) AS states (state)
                CROSS JOIN LATERAL (
                    SELECT * FROM job
                    WHERE workspace = %(workspace)s AND kind = kinds.kind AND state = states.state
                        AND expired_because IS DISTINCT FROM 'deleted'
                        AND (wish <> 'expire' OR expires_at IS NULL OR expires_at > now() - interval '7 days')
                        AND (created_at, id) < (%(at)s::timestamptz, %(job)s::uuid)
                        AND strpos(search, %(words)s) > 0
                        AND (%(only)s::uuid[] IS NULL OR id = ANY(%(only)s))
                    ORDER BY created_at DESC, id DESC LIMIT %(limit)s
                ) listed
                ORDER BY created_at DESC, id DESC LIMIT %(limit)s
            ) j
            CROSS JOIN LATERAL job_sum(j.id, j.variations)
            ORDER BY j.created_at DESC, j.id DESC
            """,
            {
                "workspace": workspace,
                "states": list(wanted.states),
                "kinds": list(wanted.kinds),
                "words": folded(wanted.words),
                "only": None if wanted.only is None else list(wanted.only),
                "at": before[0].isoformat() if before else "infinity",
                "job": before[1] if before else UUID(int=0),
                "limit": limit,
            },
        )
        return await rows.fetchall()


async def is_job(database: Database, workspace: UUID, job: UUID) -> bool:
    """Is there one that its people can look at?"""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT FROM job WHERE id = %s AND workspace = %s AND expired_because IS DISTINCT FROM 'deleted'",
            (job, workspace),
        )
        return await rows.fetchone() is not None


async def job_view(database: Database, workspace: UUID, job: UUID, page: Page = Page()) -> Row | None:
    """A job with a page of its videos and their takes; None when there is none, it is another's, or it was deleted."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id, j.options ->> 'name' AS name, j.kind, j.wish, j.state, j.variations, j.seed,
                   j.options ->> 'priority' AS priority, j.created_at, j.started_at,
                   j.ended_at, j.expires_at, j.expired_because, j.kept, job_sum.*, files.list AS files,
                   (SELECT count(*) FROM video WHERE job_id = j.id AND state = ANY(%(states)s)) AS matching
            FROM job j CROSS JOIN LATERAL job_sum(j.id, j.variations)
            CROSS JOIN LATERAL (
                SELECT coalesce(json_agg(json_build_object(
                    'id', v.id, 'name', v.name, 'state', v.state, 'progress', v.progress, 'probe', v.probe,
                    'distinctness', v.distinctness,
                    'error_code', v.error_code, 'error', v.error, 'size', s.size, 'sha256', s.sha256,
                    'source_kept', s.state = 'ready',
                    'pictured', v.thumb_key IS NOT NULL, 'takes', coalesce(takes.list, '[]'),
                    'frames', (SELECT json_agg(frames) FROM part WHERE video_id = v.id AND state = 'running'))
                    ORDER BY v.position), '[]') AS list
                FROM (
                    SELECT * FROM video
                    WHERE job_id = j.id AND state = ANY(%(states)s) AND coalesce(id = %(only)s, true)
                    ORDER BY position OFFSET %(skip)s LIMIT %(most)s
                ) v
                JOIN source s ON s.id = v.source_id
                CROSS JOIN LATERAL (
                    SELECT json_agg(json_build_object(
                        'index', a.index, 'state', a.state, 'size', a.size, 'duration', a.duration,
                        'distance', a.distance, 'error_code', a.error_code, 'error', a.error,
                        'pictured', a.thumb_key IS NOT NULL, 'engine', a.engine,
                        'recipe', CASE WHEN %(recipes)s THEN a.recipe END)
                        ORDER BY a.index) AS list
                    FROM variation a WHERE a.video_id = v.id
                ) takes
            ) files
            WHERE j.id = %(job)s AND j.workspace = %(workspace)s AND j.expired_because IS DISTINCT FROM 'deleted'
            """,
            {"job": job, "workspace": workspace, **vars(page), "states": list(page.states)},
        )
        return await rows.fetchone()
