"""Giving up the sources of a request: never those of a job, not even of one that is still committing."""

import asyncio
from uuid import UUID, uuid4

import pytest

from conftest import eventually
from retake.store.connect import Database
from retake.store.jobs import NewJob, accept
from retake.store.sources import begin_source, chunk_done, drop_unaccepted, finish_source, intend_chunk
from retake.store.workspaces import ensure_workspace

pytestmark = pytest.mark.anyio


async def written(database: Database, workspace: UUID, *, finished: bool = True) -> UUID:
    """A source of one chunk whose key is its id."""
    source = await begin_source(database, workspace)
    await intend_chunk(database, source, n=0, start=0, size=10, sha256="00", key=str(source))
    if finished:
        await chunk_done(database, source, str(source))
        await finish_source(database, source)
    return source


async def one(database: Database, query: str, *values: object) -> object:
    async with database.transaction() as connection:
        row = await (await connection.execute(query, values)).fetchone()
    assert row is not None
    return next(iter(row.values()))


async def test_dropped_sources_do_not_count_and_name_their_bytes(database: Database) -> None:
    workspace = await ensure_workspace(database, "w")
    sources = [await written(database, workspace), await written(database, workspace, finished=False)]

    keys = await drop_unaccepted(database, uuid4(), sources)

    assert sorted(keys or []) == sorted(str(source) for source in sources)
    assert await one(database, "SELECT count(*) FROM source WHERE state = 'gone'") == 2
    assert await one(database, "SELECT count(*) FROM chunk WHERE state = 'dropped'") == 2
    assert await one(database, "SELECT bytes FROM storage") == 0


async def test_dropping_twice_uncharges_once(database: Database) -> None:
    workspace = await ensure_workspace(database, "w")
    sources = [await written(database, workspace), await written(database, workspace)]
    await drop_unaccepted(database, uuid4(), sources[:1])

    assert await drop_unaccepted(database, uuid4(), sources[:1]) == []

    assert await one(database, "SELECT bytes FROM storage") == 10


async def test_an_accepted_job_keeps_its_sources(database: Database) -> None:
    workspace = await ensure_workspace(database, "w")
    source = await written(database, workspace)
    new = NewJob(workspace, [("a.mp4", source)], variations=1, seed=1)
    await accept(database, new)

    assert await drop_unaccepted(database, new.id, [source]) is None

    assert await one(database, "SELECT state FROM source") == "ready"


async def test_a_source_that_another_job_uses_stays(database: Database) -> None:
    workspace = await ensure_workspace(database, "w")
    source = await written(database, workspace)
    await accept(database, NewJob(workspace, [("a.mp4", source)], variations=1, seed=1))

    assert await drop_unaccepted(database, uuid4(), [source]) == []

    assert await one(database, "SELECT state FROM source") == "ready"


async def test_a_commit_that_is_late_is_waited_for(database: Database) -> None:
    """A plain look would find no job while the accept has still to commit, and its sources would be taken away."""
    workspace = await ensure_workspace(database, "w")
    source = await written(database, workspace)
    job = uuid4()

    async def waits() -> bool:
        return await one(database, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 1

    async with database.transaction() as accepting:
        await accepting.execute("SELECT FROM source WHERE id = %s FOR SHARE", (source,))
        await accepting.execute(
            "INSERT INTO job (id, workspace, kind, variations, seed) VALUES (%s, %s, 'variations', 1, 1)",
            (job, workspace),
        )
        dropping = asyncio.create_task(drop_unaccepted(database, job, [source]))
        await eventually(waits)

    assert await dropping is None
    assert await one(database, "SELECT state FROM source") == "ready"
