"""Rows that have told their story, and what forgets them: a batch at a time, the oldest first where it matters.

An expired job stays listed for a week, counted from when its last byte went; so no row goes before its bytes.
"""

from collections.abc import Awaitable, Callable, Mapping

from retake.store.connect import Connection, Database

Forget = Callable[[Connection, int], Awaitable[int]]


async def _jobs(connection: Connection, most: int) -> int:
    rows = await connection.execute(
        """
        DELETE FROM job WHERE id IN (
            SELECT id FROM job WHERE purged_at < now() - interval '7 days'
            ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (most,),
    )
    return rows.rowcount


async def _sources(connection: Connection, most: int) -> int:
    """Gone, with all their bytes, and no job tells of them any more."""
    rows = await connection.execute(
        """
        DELETE FROM source WHERE id IN (
            SELECT id FROM source
            WHERE state = 'gone' AND NOT EXISTS (SELECT FROM video WHERE source_id = source.id)
                AND NOT EXISTS (SELECT FROM chunk WHERE source_id = source.id)
                AND NOT EXISTS (SELECT FROM upload WHERE id = source.id)
            ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (most,),
    )
    return rows.rowcount


async def _events(connection: Connection, most: int) -> int:
    """By their ids, which are as old as they are: no index on the time is needed."""
    rows = await connection.execute(
        """
        DELETE FROM event WHERE id IN (
            SELECT id FROM (SELECT id, at FROM event ORDER BY id LIMIT %s) oldest WHERE at < now() - interval '7 days')
        """,
        (most,),
    )
    return rows.rowcount


async def _keys(connection: Connection, most: int) -> int:
    """Idempotency keys are good for a day."""
    rows = await connection.execute(
        """
        DELETE FROM idempotency WHERE (workspace, key) IN (
            SELECT workspace, key FROM idempotency
            WHERE created_at < now() - interval '24 hours' AND lease_until < now()
            ORDER BY 1, 2 LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (most,),
    )
    return rows.rowcount


async def _sessions(connection: Connection, most: int) -> int:
    rows = await connection.execute(
        """
        DELETE FROM session WHERE token_sha256 IN (
            SELECT token_sha256 FROM session WHERE expires_at <= now() ORDER BY 1 LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (most,),
    )
    return rows.rowcount


async def _downloads(connection: Connection, most: int) -> int:
    rows = await connection.execute(
        """
        DELETE FROM download WHERE id IN (
            SELECT id FROM download WHERE until <= now() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (most,),
    )
    return rows.rowcount


async def _workers(connection: Connection, most: int) -> int:
    """Those that nobody heard of for a day: every pod has a name of its own."""
    rows = await connection.execute(
        """
        DELETE FROM worker WHERE name IN (
            SELECT name FROM worker WHERE seen_at < now() - interval '1 day'
            ORDER BY name LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (most,),
    )
    return rows.rowcount


async def _passes(connection: Connection, most: int) -> int:
    rows = await connection.execute(
        """
        DELETE FROM janitor_run WHERE id IN (
            SELECT id FROM janitor_run WHERE started_at < now() - interval '7 days'
            ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (most,),
    )
    return rows.rowcount


FORGET: Mapping[str, Forget] = {
    "jobs": _jobs,
    "sources": _sources,
    "events": _events,
    "keys": _keys,
    "sessions": _sessions,
    "downloads": _downloads,
    "workers": _workers,
    "passes": _passes,
}


async def forget(database: Database, name: str, most: int, *, dry: bool = False) -> int:
    """One batch of that name, in one transaction; in a dry run it is rolled back."""
    async with database.transaction() as connection, connection.transaction(force_rollback=dry):
        return await FORGET[name](connection, most)
