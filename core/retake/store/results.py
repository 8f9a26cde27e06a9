"""Results: the takes of a job as its person gets them, from the first finished one until they are purged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from retake.domain.states import State
from retake.store.connect import Database
from retake.store.move import JobGone, moving


@dataclass(frozen=True)
class FinishedTake:
    """Facts that never change once they are there. `source` counts the job's videos from 0."""

    source: int
    index: int
    recipe: Mapping[str, Any]
    key: str
    size: int
    crc32: int
    sha256: str
    duration: float | None
    distance: Mapping[str, Any] | None
    engine: str | None


@dataclass(frozen=True)
class Results:
    """`sources` are the names of all videos of the job, also of those without a finished take."""

    job: UUID
    state: State
    expired_because: str | None
    created_at: datetime
    options: Mapping[str, Any]
    seed: int
    variations: int
    sources: Sequence[str]
    takes: Sequence[FinishedTake]


async def results_of(database: Database, workspace: UUID, job: UUID) -> Results:
    """JobGone when the workspace has no such job, or deleted it."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id AS job, j.state, j.expired_because, j.created_at, j.options, j.seed, j.variations,
                ARRAY(SELECT name FROM video WHERE job_id = j.id ORDER BY position) AS sources
            FROM job j
            WHERE j.id = %s AND j.workspace = %s AND j.expired_because IS DISTINCT FROM 'deleted'
            """,
            (job, workspace),
        )
        row = await rows.fetchone()
        if row is None:
            raise JobGone
        takes = await connection.execute(
            """
            SELECT v.position AS source, a.index, a.recipe, a.key, a.size, a.crc32, a.sha256, a.duration, a.distance,
                a.engine
            FROM video v JOIN variation a ON a.video_id = v.id
            WHERE v.job_id = %s AND a.state = 'completed' ORDER BY v.position, a.index
            """,
            (job,),
        )
        finished = [FinishedTake(**take) for take in await takes.fetchall()]
        return Results(**{**row, "state": State(row["state"])}, takes=finished)


async def purgeable(database: Database, limit: int) -> list[UUID]:
    """Expired jobs whose bytes may still be there, and that nobody downloads (any more). In no order: janitors at once
    meet less, and a job that cannot be purged keeps no other from it for ever."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT id FROM job WHERE state = 'expired' AND purged_at IS NULL AND NOT being_downloaded(id)
            ORDER BY random() LIMIT %s
            """,
            (limit,),
        )
        return [row["id"] for row in await rows.fetchall()]


async def stamp_purged(database: Database, job: UUID) -> bool:
    """The bytes of an expired job are gone: it says so, and they are off the ledger. False when another was quicker.

    1. Lock the job. 2. Stamp it unless it is stamped. 3. Whoever stamped frees what its finished takes were charged.
    """
    try:
        async with moving(database, job) as move:
            rows = await move.connection.execute(
                "UPDATE job SET purged_at = now() WHERE id = %s AND state = 'expired' AND purged_at IS NULL", (job,)
            )
            if rows.rowcount == 0:
                return False
            rows = await move.connection.execute(
                """
                SELECT coalesce(sum(a.size), 0)::bigint AS freed
                FROM video v JOIN variation a ON a.video_id = v.id WHERE v.job_id = %s AND a.state = 'completed'
                """,
                (job,),
            )
            row = await rows.fetchone()
            assert row is not None
            move.charge(-row["freed"])
            return True
    except JobGone:
        return False
