"""Passes of the janitor, one row each: what every chore did, or why it failed. The API shows the newest as metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from retake.store.connect import Database


async def begin_run(database: Database) -> int:
    async with database.transaction() as connection:
        row = await (await connection.execute("INSERT INTO janitor_run DEFAULT VALUES RETURNING id")).fetchone()
        assert row is not None
        number: int = row["id"]
        return number


async def end_run(database: Database, number: int, counts: Mapping[str, int], errors: Mapping[str, str]) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "UPDATE janitor_run SET ended_at = now(), counts = %s, errors = %s WHERE id = %s",
            (Jsonb(dict(counts)), Jsonb(dict(errors)), number),
        )


@dataclass(frozen=True)
class Run:
    started_at: datetime
    ended_at: datetime
    counts: Mapping[str, int]
    errors: Mapping[str, str]


async def last_run(database: Database) -> Run | None:
    """The newest pass that ended."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT started_at, ended_at, counts, errors FROM janitor_run
            WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT 1
            """
        )
        row = await rows.fetchone()
        return None if row is None else Run(**row)
