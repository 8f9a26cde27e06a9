"""Room: who uses how much, which ended jobs may go for it, and which their people keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from retake.domain.eviction import Ended, Share
from retake.domain.states import Wish
from retake.store.connect import Connection, Database
from retake.store.jobs import change_wish
from retake.store.move import JobGone, moving
from retake.store.room import lock_admission


@dataclass(frozen=True)
class Usage:
    """Bytes of all workspaces. `going` are those of jobs that are expired and sources that nobody needs: still there,
    and about to go by themselves."""

    used: int
    going: int
    shares: Mapping[UUID, Share]
    """By workspace, without what goes."""

    @property
    def staying(self) -> int:
        return self.used - self.going


@dataclass(frozen=True)
class Candidate(Ended):
    """An ended job that may go, as people see it."""

    ended_at: datetime
    expires_at: datetime


class Outcome(Enum):
    GONE = auto()
    STAYS = auto()  # it was retried, kept, or is being downloaded
    ENOUGH = auto()  # there is room without it


class KeepRefused(Exception):
    """The job is expired: there is nothing to keep."""


class TooManyKept(Exception):
    """The workspace keeps as many jobs as it may."""


async def usage(database: Database) -> Usage:
    async with database.transaction() as connection:
        return await _usage(connection)


async def _usage(connection: Connection) -> Usage:
    rows = await connection.execute(
        """
        SELECT w.id, w.weight, s.bytes, (
            (SELECT coalesce(sum(job_bytes(j.id)), 0) FROM job j
             WHERE j.workspace = w.id AND j.state = 'expired' AND j.purged_at IS NULL AND NOT being_downloaded(j.id))
            + (SELECT coalesce(sum(size), 0) FROM source
               WHERE workspace = w.id AND state = 'ready' AND origin = 'upload'
                   AND EXISTS (SELECT FROM video WHERE source_id = source.id) AND NOT source_needed(source.id))
            )::bigint AS going
        FROM workspace w JOIN storage s ON s.workspace = w.id
        """
    )
    found = await rows.fetchall()
    return Usage(
        used=sum(row["bytes"] for row in found),
        going=sum(row["going"] for row in found),
        shares={row["id"]: Share(row["weight"], row["bytes"] - row["going"]) for row in found},
    )


async def candidates(database: Database) -> Sequence[Candidate]:
    """The jobs that may go for room, in the order in which they ended; those that would free nothing may stay."""
    return (await outlook(database))[1]


async def outlook(database: Database) -> tuple[Usage, Sequence[Candidate]]:
    """Usage and candidates of one moment: a job that goes in between would be counted twice, or never."""
    async with database.transaction() as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        now = await _usage(connection)
        rows = await connection.execute(
            """
            SELECT * FROM (
                SELECT id AS job, workspace, ended_at, expires_at, job_bytes(id) + job_source_bytes(id) AS bytes
                FROM job
                WHERE ended_at IS NOT NULL AND wish <> 'expire' AND NOT kept AND NOT being_downloaded(id)
            ) ended
            WHERE bytes > 0 ORDER BY ended_at, job
            """
        )
        return now, [Candidate(**row) for row in await rows.fetchall()]


async def evict(database: Database, job: UUID, *, above: int) -> Outcome:
    """An ended job goes for room, if more than `above` bytes would stay without that.

    1. Lock the job. 2. Lock out other admissions and evictions, so that no two count the same bytes. 3. In a new
    statement: it may still go. 4. So too: there still is no room. 5. It expires, and its row says why.
    """
    try:
        async with moving(database, job) as move:
            await lock_admission(move.connection)
            rows = await move.connection.execute(
                """
                SELECT FROM job
                WHERE id = %s AND ended_at IS NOT NULL AND wish <> 'expire' AND NOT kept AND NOT being_downloaded(id)
                """,
                (job,),
            )
            if await rows.fetchone() is None:
                return Outcome.STAYS
            if (await _usage(move.connection)).staying <= above:
                return Outcome.ENOUGH
            await change_wish(move, Wish.EXPIRE, "space")
            return Outcome.GONE
    except JobGone:
        return Outcome.STAYS


async def keep(database: Database, workspace: UUID, job: UUID, *, most: int) -> None:
    """No eviction takes the job; its time still runs.

    1. Lock the job, which is the workspace's and not expired. 2. Lock the workspace's ledger row, so that no two are
    counted at once. 3. In a new statement: it is kept unless as many as may be are.
    """
    async with moving(database, job, workspace) as move:
        if move.job.wish is Wish.EXPIRE:
            raise KeepRefused
        await move.connection.execute("SELECT FROM storage WHERE workspace = %s FOR UPDATE", (workspace,))
        rows = await move.connection.execute(
            """
            UPDATE job SET kept = true WHERE id = %(job)s AND %(most)s > (
                SELECT count(*) FROM job
                WHERE workspace = %(workspace)s AND kept AND wish <> 'expire' AND id <> %(job)s)
            """,
            {"job": job, "most": most, "workspace": workspace},
        )
        if rows.rowcount == 0:
            raise TooManyKept
        move.tell("kept", kept=True)


async def let_go(database: Database, workspace: UUID, job: UUID) -> None:
    """It is kept no longer than any other."""
    async with moving(database, job, workspace) as move:
        await move.connection.execute("UPDATE job SET kept = false WHERE id = %s", (job,))
        move.tell("kept", kept=False)


async def kept_jobs(database: Database, workspace: UUID) -> Sequence[Mapping[str, Any]]:
    """Those that no eviction takes, with what they hold."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT id AS job_id, options ->> 'name' AS name, state AS status, ended_at, expires_at,
                   job_bytes(id) + job_source_bytes(id) AS bytes
            FROM job WHERE workspace = %s AND kept AND wish <> 'expire' ORDER BY created_at, id
            """,
            (workspace,),
        )
        return await rows.fetchall()


async def bytes_by_kind(database: Database, workspace: UUID) -> Mapping[str, Any]:
    """What the workspace's part of the ledger stands for."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT (SELECT coalesce(sum(size), 0)::bigint FROM source
                    WHERE workspace = %(workspace)s AND state = 'ready' AND origin = 'upload') AS sources,
                (SELECT coalesce(sum(bytes), 0)::bigint FROM reservation WHERE workspace = %(workspace)s) AS arriving,
                coalesce(sum(takes.stored), 0)::bigint AS takes,
                coalesce(sum(v.reserved + coalesce(takes.promised, 0)), 0)::bigint AS promised
            FROM job j JOIN video v ON v.job_id = j.id
            CROSS JOIN LATERAL (
                SELECT sum(size) AS stored, sum(reserved) AS promised FROM variation WHERE video_id = v.id
            ) takes
            WHERE j.workspace = %(workspace)s AND j.purged_at IS NULL
            """,
            {"workspace": workspace},
        )
        row = await rows.fetchone()
        assert row is not None
        return row
