"""Download leases: while one lives, nobody expires its job for age or space, nor deletes a byte of it.

A person's delete sets the job's state at once; only the bytes wait. A lease is never taken on a job that is wished
away, so once such a job has none, its bytes may go.
"""

from datetime import timedelta
from uuid import UUID

from retake.domain.timing import Timing
from retake.store.connect import Database
from retake.store.move import JobGone
from retake.store.results import Expired
from retake.store.sources import SourceGone


async def take(database: Database, job: UUID, timing: Timing, source: UUID | None = None) -> UUID:
    """JobGone or Expired when the job is wished away; SourceGone when the source that is to be read is not ready.

    1. Lock the job's row, shared: whoever would expire it either comes later and sees the lease, or was here before.
    2. So too the source's row, which is the lock between its readers and the sweep. 3. The lease. Those that ran out
    are forgotten on the way.
    """
    async with database.transaction() as connection:
        rows = await connection.execute("SELECT expired_because FROM job WHERE id = %s FOR SHARE", (job,))
        row = await rows.fetchone()
        if row is None or row["expired_because"] == "deleted":
            raise JobGone
        if row["expired_because"] is not None:
            raise Expired(row["expired_because"])
        if source is not None:
            rows = await connection.execute("SELECT FROM source WHERE id = %s AND state = 'ready' FOR SHARE", (source,))
            if await rows.fetchone() is None:
                raise SourceGone
        await connection.execute(
            """
            DELETE FROM download
            WHERE id IN (SELECT id FROM download WHERE until <= now() LIMIT 100 FOR UPDATE SKIP LOCKED)
            """
        )
        rows = await connection.execute(
            "INSERT INTO download (job_id, until) VALUES (%s, now() + %s) RETURNING id",
            (job, timedelta(seconds=timing.download)),
        )
        row = await rows.fetchone()
        assert row is not None
        lease: UUID = row["id"]
        return lease


async def renew(database: Database, lease: UUID, timing: Timing) -> bool:
    """For bytes that were sent. False when it ran out, or has lived as long as any may."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "UPDATE download SET until = least(now() + %s, began_at + %s) WHERE id = %s AND until > now()",
            (timedelta(seconds=timing.download), timedelta(seconds=timing.download_most), lease),
        )
        return rows.rowcount > 0


async def give_back(database: Database, lease: UUID) -> None:
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM download WHERE id = %s", (lease,))
