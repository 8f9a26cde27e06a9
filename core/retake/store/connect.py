"""Connections to Postgres: one pool per process, and the errors its callers must tell apart.

Every other module here takes a `Connection` that is inside a transaction, or a `Database` when it makes its own.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from retake import metrics
from retake.settings import Postgres
from retake.store.pool import Connection as Connection  # noqa: PLC0414  the store's modules know it from here
from retake.store.pool import NoConnection, Pool

_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "row_factory": dict_row,
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": "-c statement_timeout=30s -c lock_timeout=10s -c timezone=UTC "
    "-c idle_in_transaction_session_timeout=30s",
}


class Unavailable(Exception):
    """Postgres gave no answer, or none for now: a lock took too long, a deadlock, a full disk, a session timed out.

    Nothing is known of what was asked: it may or may not have happened. Another time it may go better.
    """


class Database:
    """The pool. `transaction()` is the only way to a connection, so nothing is left open by accident."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self, patience: float = 10) -> AsyncIterator[Connection]:
        """Commits when the block ends, rolls back when it raises. What is no fault of the caller is Unavailable."""
        try:
            async with self._pool.connection(patience) as connection, connection.transaction():
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError, NoConnection) as error:
            metrics.DATABASE_ERRORS.labels((getattr(error, "sqlstate", None) or "none")[:2]).inc()
            raise Unavailable(str(error)) from error

    async def check(self) -> None:
        """Returns when Postgres answers; for probes."""
        async with self.transaction(patience=2) as connection:
            await connection.execute("SELECT 1")

    async def close(self) -> None:
        await self._pool.close()


@asynccontextmanager
async def open_database(settings: Postgres, *, name: str, patience: float = 30) -> AsyncIterator[Database]:
    """A pool that answered once: at start, servers and network policies may need a moment."""
    database = Database(Pool(settings.url, {**_OPTIONS, "application_name": name}, settings.pool))
    try:
        async with database.transaction(patience):
            pass
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_connection(url: str, *, name: str, patience: float = 30) -> AsyncIterator[Connection]:
    """One connection outside any pool, for migrations: tries again until `patience` is over."""
    async with await _connect(url, name, time.monotonic() + patience) as connection:
        yield connection


async def _connect(url: str, name: str, deadline: float) -> Connection:
    while True:
        try:
            return await AsyncConnection[DictRow].connect(url, **{**_OPTIONS, "application_name": name})
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise Unavailable(f"Postgres did not answer in time: {error}") from error
            await asyncio.sleep(0.2)


async def answers(url: str) -> bool:
    """One quick try: is there a Postgres that lets us in?"""
    try:
        async with await AsyncConnection.connect(url, connect_timeout=2) as connection:
            await connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
