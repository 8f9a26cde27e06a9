"""How often a password was tried: by each client, and by all together, in windows of time.

An attempt is counted before it is looked at, so a hundred at once are a hundred; the right password gives it back. What
was refused is not counted: a window ends when it would have ended anyway.
"""

from dataclasses import dataclass
from datetime import timedelta

from retake.store.connect import Connection, Database

EVERYBODY = "*"


@dataclass(frozen=True)
class Limits:
    window: timedelta = timedelta(minutes=10)
    client: int = 10
    """Wrong passwords in a window from one client."""
    everybody: int = 300
    """From all clients together that never knew the password: guessing from many addresses is slow, too."""
    remembered: timedelta = timedelta(days=30)
    """For how long a client that knew the password is none of everybody."""


class TooMany(Exception):
    """Another attempt may be made after so many seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


async def count_attempt(database: Database, client: str, limits: Limits) -> None:
    """Raises TooMany, and then it is not counted.

    1. Forget the windows that are over, but for clients that are remembered.
    2. Count it for everybody, unless the client is remembered; that row first, so that attempts queue in one order.
    3. Count it for the client.
    """
    async with database.transaction() as connection:
        await connection.execute(
            "DELETE FROM login_attempt WHERE since <= now() - %s AND (good_at IS NULL OR good_at <= now() - %s)",
            (limits.window, limits.remembered),
        )
        if not await _is_remembered(connection, client):
            await _count(connection, EVERYBODY, limits.everybody, limits.window)
        await _count(connection, client, limits.client, limits.window)


async def forgive_attempt(database: Database, client: str) -> None:
    """It was the right password: the client begins anew, and is remembered."""
    async with database.transaction() as connection:
        if not await _is_remembered(connection, client):
            await connection.execute(
                "UPDATE login_attempt SET failures = greatest(0, failures - 1) WHERE client = %s", (EVERYBODY,)
            )
        await connection.execute("UPDATE login_attempt SET failures = 0, good_at = now() WHERE client = %s", (client,))


async def _is_remembered(connection: Connection, client: str) -> bool:
    rows = await connection.execute("SELECT FROM login_attempt WHERE client = %s AND good_at IS NOT NULL", (client,))
    return await rows.fetchone() is not None


async def _count(connection: Connection, client: str, most: int, window: timedelta) -> None:
    asked = {"client": client, "most": most, "window": window}
    counted = await connection.execute(
        """
        INSERT INTO login_attempt AS a (client) VALUES (%(client)s)
        ON CONFLICT (client) DO UPDATE SET
            failures = CASE WHEN a.since <= now() - %(window)s THEN 1 ELSE a.failures + 1 END,
            since = CASE WHEN a.since <= now() - %(window)s THEN now() ELSE a.since END
        WHERE a.since <= now() - %(window)s OR a.failures < %(most)s
        """,
        asked,
    )
    if counted.rowcount == 0:
        rows = await connection.execute(
            """
            SELECT greatest(1, ceil(extract(epoch FROM since + %(window)s - now())))::integer AS seconds
            FROM login_attempt WHERE client = %(client)s
            """,
            asked,
        )
        row = await rows.fetchone()
        assert row is not None
        raise TooMany(row["seconds"])
