"""Room: how many bytes may be stored, and how many jobs of a workspace may wait, before somebody is told so.

What arrives reserves the bytes it declares, at its start. When its sources become ready, their real bytes take the
place of the reserved ones. Reserved bytes stand in the ledger like all others, so that whoever asks next finds them
there. Those who ask are counted one after another: no two get the same room.
"""

from dataclasses import dataclass
from uuid import UUID

from retake.store.connect import Connection, Database
from retake.store.move import charge_ledger


class StorageFull(Exception):
    """It does not fit under the storage cap."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"{needed} bytes needed, {free} free")
        self.needed, self.free = needed, free


class QueueFull(Exception):
    """The workspace has as many jobs, videos or uploads under way as it may have."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"at most {most} {what} at once")
        self.what, self.most = what, most


@dataclass(frozen=True)
class Queue:
    """How many jobs, and videos in them, a workspace may have that have not ended; and unused uploads, as many."""

    jobs: int
    videos: int


async def lock_admission(connection: Connection) -> None:
    """Nobody else is admitted, and nobody evicted, before this transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(2, 0)")


async def admit(connection: Connection, needed: int, cap: int | None) -> None:
    """StorageFull unless so many bytes more fit under the cap."""
    if cap is None:
        return
    await lock_admission(connection)
    row = await (await connection.execute("SELECT coalesce(sum(bytes), 0)::bigint AS used FROM storage")).fetchone()
    assert row is not None
    if row["used"] + needed > cap:
        raise StorageFull(needed, max(0, cap - row["used"]))


async def enqueue(connection: Connection, workspace: UUID, videos: int, queue: Queue) -> None:
    """Nobody else of the workspace enqueues before this transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(2, number) FROM workspace WHERE id = %s", (workspace,))
    await _within(connection, workspace, videos, queue)


async def enqueue_upload(connection: Connection, workspace: UUID, queue: Queue) -> None:
    """As many uploads as videos may wait for their job: one that is never used costs rows for a day."""
    rows = await connection.execute(
        """
        SELECT count(*) AS uploads FROM upload u JOIN source s ON s.id = u.id
        WHERE s.workspace = %s AND u.state IN ('open', 'finished')
        """,
        (workspace,),
    )
    row = await rows.fetchone()
    assert row is not None
    if row["uploads"] + 1 > queue.videos:
        raise QueueFull("uploads", queue.videos)


async def reserve(
    database: Database, arrival: UUID, workspace: UUID, size: int, *, cap: int | None, queue: Queue
) -> None:
    """At the headers of a request that wants to be a job: so that what cannot be taken is not sent."""
    async with database.transaction() as connection:
        await _within(connection, workspace, 1, queue)
        await reserve_bytes(connection, arrival, workspace, size, cap)


async def reserve_bytes(connection: Connection, arrival: UUID, workspace: UUID, size: int, cap: int | None) -> None:
    await admit(connection, size, cap)
    await connection.execute(
        "INSERT INTO reservation (id, workspace, bytes) VALUES (%s, %s, %s)", (arrival, workspace, size)
    )
    await charge_ledger(connection, workspace, size)


async def release(connection: Connection, arrival: UUID) -> None:
    """Its bytes are counted as stored now, or will never come."""
    rows = await connection.execute("DELETE FROM reservation WHERE id = %s RETURNING workspace, bytes", (arrival,))
    if (row := await rows.fetchone()) is not None:
        await charge_ledger(connection, row["workspace"], -row["bytes"])


async def _within(connection: Connection, workspace: UUID, videos: int, queue: Queue) -> None:
    rows = await connection.execute(
        """
        SELECT count(DISTINCT j.id) AS jobs, count(v.id) AS videos
        FROM job j LEFT JOIN video v ON v.job_id = j.id AND v.state IN ('queued', 'processing')
        WHERE j.workspace = %s AND j.ended_at IS NULL
        """,
        (workspace,),
    )
    row = await rows.fetchone()
    assert row is not None
    if row["jobs"] + 1 > queue.jobs:
        raise QueueFull("jobs", queue.jobs)
    if row["videos"] + videos > queue.videos:
        raise QueueFull("videos", queue.videos)


async def bytes_used(database: Database) -> int:
    """Of all workspaces together, what is promised included."""
    async with database.transaction() as connection:
        row = await (await connection.execute("SELECT coalesce(sum(bytes), 0)::bigint AS used FROM storage")).fetchone()
        assert row is not None
        used: int = row["used"]
        return used
