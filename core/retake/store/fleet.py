"""Who is alive: workers by their row, and holders of a duty by theirs."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from retake.domain.timing import Timing
from retake.store.connect import Database, Unavailable

Row = Mapping[str, Any]

_PARTING = 1.0


async def seen(
    database: Database,
    name: str,
    *,
    version: str,
    recipe_version: int,
    slots: int,
    sandbox: Sequence[str] = (),
    engine: str = "",
) -> None:
    """A worker says that it lives, for how many parts at once, and what it works with."""
    async with database.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO worker (name, version, recipe_version, slots, sandbox, engine) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (name) DO UPDATE SET version = excluded.version, recipe_version = excluded.recipe_version,
                slots = excluded.slots, sandbox = excluded.sandbox, engine = excluded.engine, seen_at = now(),
                gone_at = NULL
            """,
            (name, version, recipe_version, slots, list(sandbox), engine),
        )


async def gone(database: Database, name: str) -> None:
    """A worker that stops says so, so that its slots count no longer."""
    async with database.transaction() as connection:
        await connection.execute("UPDATE worker SET gone_at = now() WHERE name = %s", (name,))


async def silent(database: Database, timing: Timing) -> list[str]:
    """Workers that did not say good-bye, and that nothing was heard of lately."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT name FROM worker WHERE gone_at IS NULL AND seen_at < now() - %s ORDER BY name",
            (timedelta(seconds=timing.worker_alive),),
        )
        return [row["name"] for row in await rows.fetchall()]


async def fleet(database: Database, workspace: UUID, timing: Timing) -> Sequence[Row]:
    """Who does what, those that work first. Of other workspaces' work one sees that it is, but not what."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT w.name, w.version, w.slots, w.sandbox, w.engine, w.started_at, w.seen_at,
                   w.made / nullif(w.took, 0) AS speed,
                   CASE WHEN w.gone_at IS NOT NULL AND busy.parts IS NOT NULL THEN 'leaving'
                        WHEN w.gone_at IS NOT NULL THEN 'gone' WHEN w.seen_at > now() - %(alive)s THEN 'active'
                        ELSE 'lost' END AS status,
                   coalesce(busy.parts, '[]') AS parts
            FROM worker w
            CROSS JOIN LATERAL (
                SELECT json_agg(json_build_object(
                    'kind', p.kind, 'takes', cardinality(p.indices),
                    'job', CASE WHEN j.workspace = %(workspace)s THEN j.id END,
                    'video', CASE WHEN j.workspace = %(workspace)s THEN p.video_id END) ORDER BY p.id) AS parts
                FROM part p JOIN job j ON j.id = p.job_id WHERE p.state = 'running' AND p.worker = w.name
            ) busy
            ORDER BY status, w.name
            """,
            {"workspace": workspace, "alive": timedelta(seconds=timing.worker_alive)},
        )
        return await rows.fetchall()


async def take_duty(database: Database, name: str, holder: str, seconds: float) -> bool:
    """Takes or renews a duty by compare-and-set. One holder is an optimisation; correctness never rests on it."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            INSERT INTO duty (name, holder, until) VALUES (%(name)s, %(holder)s, now() + %(time)s)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
                WHERE duty.holder = excluded.holder OR duty.until < now()
            """,
            {"name": name, "holder": holder, "time": timedelta(seconds=seconds)},
        )
        return rows.rowcount == 1


async def give_up_duty(database: Database, name: str, holder: str) -> None:
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM duty WHERE name = %s AND holder = %s", (name, holder))


async def leave_duty(database: Database, name: str, holder: str) -> None:
    """Who stops lets the next one begin at once. Without an answer the duty lapses by itself."""
    with suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(_PARTING):
            await give_up_duty(database, name, holder)
