"""Idempotency keys: taken at a request's headers, renewed by its bytes, answered by the accept that commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from retake.store.connect import Database

LEASE = timedelta(seconds=60)


@dataclass(frozen=True)
class Answered:
    """The key was used: this was the request and this the answer."""

    fingerprint: str
    answer: Mapping[str, Any]


async def take_key(database: Database, workspace: UUID, key: str, owner: UUID) -> Answered | bool:
    """True: it is ours now, perhaps taken over from a request that lapsed. False: another request is in flight."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            INSERT INTO idempotency (workspace, key, owner, lease_until) VALUES (%s, %s, %s, now() + %s)
            ON CONFLICT (workspace, key) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
                WHERE idempotency.answer IS NULL AND idempotency.lease_until < now()
            """,
            (workspace, key, owner, LEASE),
        )
        if rows.rowcount == 1:
            return True
        found = await connection.execute(
            "SELECT fingerprint, answer FROM idempotency WHERE workspace = %s AND key = %s", (workspace, key)
        )
        row = await found.fetchone()
        return Answered(**row) if row is not None and row["answer"] is not None else False


async def renew_key(database: Database, workspace: UUID, key: str, owner: UUID) -> bool:
    """Bytes arrived: keep it. False when it was taken over; then the request has lost."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "UPDATE idempotency SET lease_until = now() + %s WHERE workspace = %s AND key = %s AND owner = %s",
            (LEASE, workspace, key, owner),
        )
        return rows.rowcount == 1
