"""Idempotency keys: taken at a request's headers, renewed by its bytes, answered by the accept that commits.

An answer is kept for 24 hours; then the key is as good as new.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from retake.domain.timing import Timing
from retake.store.connect import Connection, Database

MEMORY = timedelta(hours=24)


@dataclass(frozen=True)
class Answered:
    """The key was used: this was the request and this the answer."""

    fingerprint: str
    answer: Mapping[str, Any]


async def take_key(database: Database, workspace: UUID, key: str, owner: UUID, timing: Timing) -> Answered | bool:
    """True: it is ours now, perhaps taken over from a request that lapsed. False: another request is in flight.

    Keys whose time is over are forgotten on the way.
    """
    async with database.transaction() as connection:
        await connection.execute(
            """
            DELETE FROM idempotency WHERE (workspace, key) IN (
                SELECT workspace, key FROM idempotency WHERE created_at <= now() - %s AND lease_until < now()
                FOR UPDATE SKIP LOCKED)
            """,
            (MEMORY,),
        )
        rows = await connection.execute(
            """
            INSERT INTO idempotency (workspace, key, owner, lease_until) VALUES (%s, %s, %s, now() + %s)
            ON CONFLICT (workspace, key) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
                WHERE idempotency.answer IS NULL AND idempotency.lease_until < now()
            """,
            (workspace, key, owner, timedelta(seconds=timing.key_lease)),
        )
        return True if rows.rowcount == 1 else await _answered(connection, workspace, key) or False


async def renew_key(database: Database, workspace: UUID, key: str, owner: UUID, timing: Timing) -> bool:
    """Bytes arrived: keep it. False when it was taken over; then the request has lost."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "UPDATE idempotency SET lease_until = now() + %s WHERE workspace = %s AND key = %s AND owner = %s",
            (timedelta(seconds=timing.key_lease), workspace, key, owner),
        )
        return rows.rowcount == 1


async def free_key(database: Database, workspace: UUID, key: str, owner: UUID) -> None:
    """The request was refused: another may have the key at once. Not if it was accepted, or has lost it, after all."""
    async with database.transaction() as connection:
        await connection.execute(
            "DELETE FROM idempotency WHERE workspace = %s AND key = %s AND owner = %s AND answer IS NULL",
            (workspace, key, owner),
        )


async def answer_of(database: Database, workspace: UUID, key: str) -> Answered | None:
    async with database.transaction() as connection:
        return await _answered(connection, workspace, key)


async def _answered(connection: Connection, workspace: UUID, key: str) -> Answered | None:
    rows = await connection.execute(
        "SELECT fingerprint, answer FROM idempotency WHERE workspace = %s AND key = %s AND answer IS NOT NULL",
        (workspace, key),
    )
    row = await rows.fetchone()
    return None if row is None else Answered(**row)
