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
    """What was finished by one moment: that of the event `as_of`. `sources` are the names of all videos of the job, and
    `videos` their ids, also of those without a finished take."""

    job: UUID
    state: State
    created_at: datetime
    ended_at: datetime | None
    options: Mapping[str, Any]
    seed: int
    variations: int
    sources: Sequence[str]
    videos: Sequence[UUID]
    as_of: int | None
    as_of_at: datetime | None
    traceparent: str | None
    takes: Sequence[FinishedTake]


class Expired(Exception):
    """The job's bytes are gone, or going."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class NoSuchMoment(Exception):
    """There is no such event in the workspace, or not any more."""


async def results_of(database: Database, workspace: UUID, job: UUID, as_of: int | None = None) -> Results:
    """As of that event, else as of the job's last. JobGone when the workspace has no such job, or deleted it.

    1. The job, and the moment. Event ids are in commit order within a workspace, so what one statement sees of them has
    no holes. 2. The takes, but for those whose finish was told later than that.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id AS job, j.state, j.expired_because, j.created_at, j.ended_at, j.options, j.seed, j.variations,
                j.traceparent, videos.sources, videos.videos, moment.id AS as_of, moment.at AS as_of_at
            FROM job j
            CROSS JOIN LATERAL (
                SELECT array_agg(name ORDER BY position) AS sources, array_agg(id ORDER BY position) AS videos
                FROM video WHERE job_id = j.id
            ) videos
            LEFT JOIN LATERAL (
                SELECT id, at FROM event WHERE workspace = j.workspace
                    AND id = coalesce(%(as_of)s::bigint, (SELECT max(id) FROM event WHERE job_id = j.id))
            ) moment ON true
            WHERE j.id = %(job)s AND j.workspace = %(workspace)s AND j.expired_because IS DISTINCT FROM 'deleted'
            """,
            {"job": job, "workspace": workspace, "as_of": as_of},
        )
        row = await rows.fetchone()
        if row is None:
            raise JobGone
        if (because := row.pop("expired_because")) is not None:
            raise Expired(because)
        if as_of is not None and row["as_of"] is None:
            raise NoSuchMoment
        takes = await connection.execute(
            """
            SELECT v.position AS source, a.index, a.recipe, a.key, a.size, a.crc32, a.sha256, a.duration, a.distance,
                a.engine
            FROM video v JOIN variation a ON a.video_id = v.id
            WHERE v.job_id = %(job)s AND a.state = 'completed' AND (v.id, a.index) NOT IN (
                SELECT (body ->> 'videoId')::uuid, (body ->> 'index')::integer FROM event
                WHERE job_id = %(job)s AND id > %(as_of)s AND kind = 'variation' AND body ->> 'status' = 'completed')
            ORDER BY v.position, a.index
            """,
            {"job": job, "as_of": row["as_of"]},
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
