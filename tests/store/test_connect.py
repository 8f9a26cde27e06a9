import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from conftest import eventually
from retake.store.connect import Connection, Database, Unavailable
from store.scene import Scene

pytestmark = pytest.mark.anyio

LOCK = "SELECT pg_advisory_xact_lock(%s)"


async def run(database: Database, *statements: str, patience: float = 10) -> None:
    async with database.transaction(patience) as connection:
        for statement in statements:
            await connection.execute(statement.encode())


async def lose_session(scene: Scene, end: Callable[[Connection, int], Awaitable[object]]) -> None:
    """A transaction whose session the server ends in between."""
    async with scene.database.transaction() as connection:
        row = await (await connection.execute("SELECT pg_backend_pid() AS pid")).fetchone()
        assert row is not None
        await end(connection, row["pid"])
        await eventually(lambda: is_gone(scene, row["pid"]))
        await connection.execute("SELECT 1")


async def is_gone(scene: Scene, pid: int) -> bool:
    return not await scene.sql("SELECT FROM pg_stat_activity WHERE pid = %s", pid)


async def test_a_transaction_that_raises_leaves_nothing(scene: Scene) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        await run(scene.database, "INSERT INTO workspace (name) VALUES ('half')", "SELECT FROM nowhere")

    assert await scene.sql("SELECT FROM workspace WHERE name = 'half'") == []


async def test_a_mistake_of_ours_is_raised_as_it_is(database: Database) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await run(database, "SELECT 1 / 0")


async def test_a_server_that_ends_the_session_is_unavailable_and_the_next_transaction_is_served(scene: Scene) -> None:
    with pytest.raises(Unavailable):
        await lose_session(scene, lambda _, pid: scene.sql("SELECT pg_terminate_backend(%s)", pid))

    await scene.database.check()


async def test_a_process_that_was_stopped_in_a_transaction_finds_postgres_unavailable(scene: Scene) -> None:
    timeout = "SET LOCAL idle_in_transaction_session_timeout = '1ms'"

    with pytest.raises(Unavailable):
        await lose_session(scene, lambda connection, _: connection.execute(timeout))

    await scene.database.check()


async def test_a_lock_that_takes_too_long_is_unavailable_rather_than_an_error_of_ours(database: Database) -> None:
    async with database.transaction() as holding:
        await holding.execute(LOCK, (1,))

        with pytest.raises(Unavailable, match="lock timeout"):
            await run(database, "SET LOCAL lock_timeout = '20ms'", "SELECT pg_advisory_xact_lock(1)")


async def test_a_statement_that_takes_too_long_is_unavailable(database: Database) -> None:
    with pytest.raises(Unavailable, match="statement timeout"):
        await run(database, "SET LOCAL statement_timeout = '20ms'", "SELECT pg_sleep(10)")


async def test_of_two_that_wait_for_each_other_one_is_unavailable_and_the_other_goes_on(database: Database) -> None:
    barrier = asyncio.Barrier(2)

    async def both(first: int, second: int) -> None:
        async with database.transaction() as connection:
            await connection.execute("SET LOCAL deadlock_timeout = '20ms'")
            await connection.execute(LOCK, (first,))
            await barrier.wait()
            await connection.execute(LOCK, (second,))

    ended = await asyncio.gather(both(1, 2), both(2, 1), return_exceptions=True)

    assert sorted(type(result).__name__ for result in ended) == ["NoneType", "Unavailable"]


async def test_waiting_in_vain_for_a_connection_is_unavailable(database: Database) -> None:
    barrier, enough = asyncio.Barrier(11), asyncio.Event()

    async def hold() -> None:
        async with database.transaction():
            await barrier.wait()
            await enough.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(10):
            tasks.create_task(hold())
        await barrier.wait()

        with pytest.raises(Unavailable):
            await run(database, patience=0.02)
        enough.set()
