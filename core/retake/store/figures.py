"""What all rows together say just now, for operators: the queue, the fleet, webhooks, storage, the schema."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from retake.domain.timing import Timing
from retake.store.connect import Connection, Database

Row = Mapping[str, Any]


async def figures(database: Database, timing: Timing) -> tuple[Row, Sequence[Row]]:
    """The installation as one row, and what each workspace has in its queue. Its cost follows what waits and runs, not
    what is done."""
    alive = timedelta(seconds=timing.worker_alive)
    async with database.transaction(patience=2) as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return await _all(connection, alive), await _queues(connection)


async def _queues(connection: Connection) -> Sequence[Row]:
    rows = await connection.execute(
        """
        WITH open AS (
            SELECT job_id, false AS running, announced_at, not_before FROM part WHERE state = 'queued'
            UNION ALL SELECT job_id, true, NULL, NULL FROM part WHERE state = 'running'),
        seen AS (
            SELECT j.workspace, running, announced_at IS NOT NULL AS announced, not_before,
                   NOT running AND announced_at IS NULL AND (j.wish <> 'run' OR not_before > now()) AS held
            FROM open JOIN job j ON j.id = open.job_id)
        SELECT w.name, count(*) FILTER (WHERE running) AS running, count(*) FILTER (WHERE announced) AS announced,
               count(*) FILTER (WHERE held) AS held, count(*) FILTER (WHERE NOT (running OR announced OR held)) AS due,
               coalesce(extract(epoch FROM now() - min(not_before) FILTER (WHERE NOT (running OR held))), 0)::float8
                   AS oldest
        FROM seen JOIN workspace w ON w.id = seen.workspace GROUP BY w.id, w.name
        """
    )
    return await rows.fetchall()


async def _all(connection: Connection, alive: timedelta) -> Row:
    rows = await connection.execute(
        """
        SELECT fleet.*, webhooks.*, orphans.*,
               (SELECT coalesce(sum(bytes), 0)::bigint FROM storage) AS used,
               (SELECT max(version) FROM schema_version) AS schema
        FROM (
            SELECT count(*) FILTER (WHERE active) AS active, count(*) FILTER (WHERE NOT active) AS lost,
                   coalesce(sum(slots) FILTER (WHERE active), 0) AS slots
            FROM (SELECT slots, seen_at > now() - %s AS active FROM worker WHERE gone_at IS NULL) workers
        ) fleet, (
            SELECT count(*) AS webhooks,
                   greatest(coalesce(extract(epoch FROM now() - min(next_at)), 0), 0)::float8 AS overdue
            FROM delivery WHERE state = 'waiting'
        ) webhooks, (
            SELECT count(*) AS orphans, coalesce(sum(size), 0)::bigint AS orphan_bytes FROM orphan
        ) orphans
        """,
        (alive,),
    )
    row = await rows.fetchone()
    assert row is not None
    return row
