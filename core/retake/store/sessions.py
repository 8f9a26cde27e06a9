"""Sessions: a token lets its bearer into one workspace until it expires or is revoked, on every replica.

A session knows the fingerprint of the password that opened it: with another password, it is worth nothing.

Tokens are 256 random bits, so one round of SHA-256 is enough to keep them: there is nothing to guess.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from retake.store.connect import Database


async def begin_session(database: Database, workspace: UUID, token: str, password: bytes, life: timedelta) -> datetime:
    """Returns when it expires. Sessions that are over are forgotten on the way."""
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM session WHERE expires_at <= now()")
        rows = await connection.execute(
            """
            INSERT INTO session (token_sha256, workspace, password, expires_at) VALUES (%s, %s, %s, now() + %s)
            RETURNING expires_at
            """,
            (_digest(token), workspace, password, life),
        )
        row = await rows.fetchone()
        assert row is not None
        expires: datetime = row["expires_at"]
        return expires


async def workspace_of(database: Database, token: str, password: bytes) -> UUID | None:
    """None when nobody is logged in with that token (any more)."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT workspace FROM session WHERE token_sha256 = %s AND password = %s AND expires_at > now()",
            (_digest(token), password),
        )
        row = await rows.fetchone()
    return None if row is None else row["workspace"]


async def end_session(database: Database, token: str) -> None:
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM session WHERE token_sha256 = %s", (_digest(token),))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
