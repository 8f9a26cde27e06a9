"""What time it is: the database's clock decides, never a process's own."""

from datetime import datetime, timedelta

from retake.store.connect import Database


async def is_over(database: Database, moment: datetime) -> bool:
    """By the database's clock, as everything is."""
    async with database.transaction() as connection:
        row = await (await connection.execute("SELECT %s <= now() AS over", (moment,))).fetchone()
        assert row is not None
        return bool(row["over"])


async def moment_in(database: Database, time: timedelta) -> datetime:
    async with database.transaction() as connection:
        row = await (await connection.execute("SELECT now() + %s AS moment", (time,))).fetchone()
        assert row is not None
        moment: datetime = row["moment"]
        return moment
