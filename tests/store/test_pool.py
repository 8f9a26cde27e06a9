"""Connections that are shared: what becomes of them when Postgres dies, and how soon its return is noticed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from conftest import Stack, eventually
from retake.settings import Postgres
from retake.store.connect import Database, Unavailable, open_database

pytestmark = pytest.mark.anyio


async def sessions(stack: Stack, settings: Postgres) -> int:
    """How many the test's database has."""
    rows = await _outside(stack, "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", _name(settings))
    return int(rows[0][0])


async def end_sessions(stack: Stack, settings: Postgres) -> None:
    await _outside(stack, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", _name(settings))

    async def are_gone() -> bool:
        return await sessions(stack, settings) == 0

    await eventually(are_gone)


@asynccontextmanager
async def closed(stack: Stack, settings: Postgres) -> AsyncIterator[None]:
    """Nobody is let in, as while Postgres restarts."""
    await _outside(stack, f'ALTER DATABASE "{_name(settings)}" ALLOW_CONNECTIONS false')
    try:
        await end_sessions(stack, settings)
        yield
    finally:
        await _outside(stack, f'ALTER DATABASE "{_name(settings)}" ALLOW_CONNECTIONS true')


async def _outside(stack: Stack, statement: str, *values: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(stack.addresses.database_url, autocommit=True) as connection:
        rows = await connection.execute(statement.encode(), values)
        return await rows.fetchall() if rows.description else []


def _name(settings: Postgres) -> str:
    return settings.url.rpartition("/")[2]


async def use(database: Database, count: int) -> None:
    """So many connections at once, all idle afterwards."""
    barrier = asyncio.Barrier(count)

    async def one() -> None:
        async with database.transaction():
            await barrier.wait()

    await asyncio.gather(*(one() for _ in range(count)))


async def test_after_all_sessions_died_the_next_transaction_is_served_at_once(
    stack: Stack, postgres: Postgres, database: Database
) -> None:
    await use(database, 8)
    await end_sessions(stack, postgres)

    began = time.monotonic()
    for _ in range(8):
        await database.check()

    assert time.monotonic() - began < 0.9


async def test_whoever_waits_is_served_soon_after_postgres_is_back(
    stack: Stack, postgres: Postgres, database: Database
) -> None:
    await use(database, 4)

    async with closed(stack, postgres):
        waiting = [asyncio.create_task(use(database, 1)) for _ in range(4)]
        await asyncio.wait(waiting, timeout=3.2)  # long enough for waits that double to have grown
        assert not [task for task in waiting if task.done()]
    began = time.monotonic()
    await asyncio.gather(*waiting)

    assert time.monotonic() - began < 1.5


async def test_who_waits_in_vain_is_told_why(stack: Stack, postgres: Postgres, database: Database) -> None:
    async with closed(stack, postgres):
        with pytest.raises(Unavailable, match="not currently accepting connections"):
            async with database.transaction(patience=0.3):
                pass


async def test_a_connection_whose_user_was_cancelled_in_a_statement_is_fit_for_the_next(database: Database) -> None:
    begun = asyncio.Event()

    async def sleep() -> None:
        async with database.transaction() as connection:
            await connection.execute("CREATE TEMPORARY TABLE mine (n integer)")
            begun.set()
            await connection.execute("SELECT pg_sleep(20)")

    for _ in range(3):
        begun.clear()
        sleeping = asyncio.create_task(sleep())
        await begun.wait()
        sleeping.cancel()
        await asyncio.wait([sleeping])
        await use(database, 10)

    await database.check()


async def test_connections_are_used_again_and_never_more_than_allowed(
    stack: Stack, postgres: Postgres, database: Database
) -> None:
    await asyncio.gather(*(database.check() for _ in range(100)))

    assert 0 < await sessions(stack, postgres) <= postgres.pool


async def test_a_pool_that_is_closed_leaves_no_session(stack: Stack, postgres: Postgres) -> None:
    async with open_database(postgres, name="short") as database:
        await use(database, 5)

    async def are_gone() -> bool:
        return await sessions(stack, postgres) == 0

    await eventually(are_gone)
