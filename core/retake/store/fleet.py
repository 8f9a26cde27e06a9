"""Who is alive: workers by their row, and holders of a duty by theirs."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from retake.store.connect import Database, Unavailable

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
                slots = excluded.slots, sandbox = excluded.sandbox, engine = excluded.engine, seen_at = now()
            """,
            (name, version, recipe_version, slots, list(sandbox), engine),
        )


async def gone(database: Database, name: str) -> None:
    """A worker that stops says so, so that its slots count no longer."""
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM worker WHERE name = %s", (name,))


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
