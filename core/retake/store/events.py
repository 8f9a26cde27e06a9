"""The history of jobs as it is told: in order, and from any event on that is still there.

Within a workspace ids are in commit order (rule 0), so whoever has read up to an id has missed nothing before it.
Between workspaces they are not: always read one workspace at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from retake.store.connect import Database


@dataclass(frozen=True)
class Event:
    id: int
    job: UUID
    kind: str
    body: Mapping[str, Any]
    at: datetime


async def events_after(
    database: Database, workspace: UUID, after: int, limit: int, job: UUID | None = None
) -> Sequence[Event]:
    """The next ones of a workspace, or of one of its jobs."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT id, job_id AS job, kind, body, at FROM event
            WHERE workspace = %(workspace)s AND id > %(after)s AND (%(job)s::uuid IS NULL OR job_id = %(job)s)
            ORDER BY id LIMIT %(limit)s
            """,
            {"workspace": workspace, "after": after, "job": job, "limit": limit},
        )
        return [Event(**row) for row in await rows.fetchall()]


async def events_before(database: Database, job: UUID, before: int, limit: int) -> Sequence[Event]:
    """What happened to a job, newest first."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT id, job_id AS job, kind, body, at FROM event WHERE job_id = %s AND id < %s ORDER BY id DESC LIMIT %s
            """,
            (job, before, limit),
        )
        return [Event(**row) for row in await rows.fetchall()]


async def last_event(database: Database, workspace: UUID) -> int:
    """0 before the first one."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT coalesce(max(id), 0) AS last FROM event WHERE workspace = %s", (workspace,)
        )
        row = await rows.fetchone()
        assert row is not None
        last: int = row["last"]
        return last


async def is_kept(database: Database, workspace: UUID, event: int) -> bool:
    """An event that is not there any more had others after it that may be gone, too. 0 is before all that are there."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT FROM event WHERE workspace = %s AND id = %s
            """,
            (workspace, event),
        )
        return event == 0 or rows.rowcount == 1
