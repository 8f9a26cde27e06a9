"""A Postgres that is really killed and comes back: what was answered is kept, and nobody is taken for lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from conftest import eventually
from retake.domain.work import RECIPE_VERSION
from retake.settings import Postgres
from retake.store import parts
from retake.store.connect import Database, Unavailable, open_database
from retake.store.heartbeat import heartbeat
from retake.store.jobs import NewJob, accept
from retake.store.migrate import migrate
from retake.store.reaping import Reaped, reap
from retake.store.workspaces import ensure_workspace
from retake_local.child import Child
from retake_local.servers import free_port, postgres, prepare_postgres
from store.audit import complaints
from store.scene import AT_ONCE, TIMING, Scene, plan

pytestmark = pytest.mark.anyio


class Server:
    """A Postgres of this test's own, as durable as in production; when it dies it is started again."""

    def __init__(self, child: Child, database: Database) -> None:
        self.child, self.database = child, database

    def kill(self) -> None:
        assert self.child.pid is not None
        os.killpg(self.child.pid, signal.SIGKILL)

    async def answers(self) -> bool:
        try:
            await self.database.check()
        except Unavailable:
            return False
        return True


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[Server]:
    program, url = postgres(folder, "secret", free_port(), await prepare_postgres(folder, "secret"), durable=True)
    child = Child(program, folder, lambda _: None)
    try:
        await child.start()
        await migrate(url)
        async with open_database(Postgres(url=url, pool=10), name="test") as database:
            yield Server(child, database)
    finally:
        await child.stop()


async def test_a_crash_of_postgres_spends_nobody_s_attempts(server: Server) -> None:
    scene = Scene(server.database, await ensure_workspace(server.database, "people"))
    job = await scene.job(takes=0, kind="catalog")
    claimed = await scene.claim_next(job)
    await scene.lapse(claimed.part)

    server.kill()
    await eventually(lambda: died(server))
    await eventually(server.answers)
    reaped = await reap(server.database, TIMING)

    assert reaped == Reaped(quiet=True, parts=0)
    await heartbeat(server.database, claimed, {}, TIMING)
    await parts.finish_inspect(server.database, claimed, plan(0), RECIPE_VERSION, TIMING)
    assert await scene.states(job) == ("completed", ["completed"], ["done"], [])
    assert await reap(server.database, AT_ONCE) == Reaped(quiet=True, parts=0)


async def died(server: Server) -> bool:
    return server.child.restarts > 0


async def test_what_was_accepted_before_and_while_postgres_crashed_is_kept(server: Server) -> None:
    scene = Scene(server.database, await ensure_workspace(server.database, "people"))
    source = await scene.source()
    accepted: list[UUID] = []
    enough = asyncio.Event()

    async def keep_accepting() -> None:
        while not enough.is_set():
            new = NewJob(scene.workspace, [("a", source)], 1, seed=1)
            try:
                await accept(server.database, new)
            except Unavailable:
                continue
            accepted.append(new.id)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(keep_accepting())
        await eventually(lambda: more_than(accepted, 20))
        server.kill()
        await eventually(lambda: died(server))
        before = len(accepted)
        await eventually(lambda: more_than(accepted, before + 20))
        enough.set()

    kept = {row["id"] for row in await scene.sql("SELECT id FROM job")}
    assert set(accepted) <= kept
    assert await complaints(server.database) == []


async def more_than(accepted: list[UUID], count: int) -> bool:
    return len(accepted) > count
