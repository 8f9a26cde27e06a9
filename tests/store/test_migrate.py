import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from conftest import eventually
from retake.settings import Postgres
from retake.store.connect import Unavailable, open_database
from retake.store.migrate import Migration, MigrationError, migrate, missing, shipped
from retake.store.schema import SchemaMisfit, awaited, check, newest

FIRST = Migration(1, "first", "CREATE TABLE a (n int); INSERT INTO a VALUES (1);")
SECOND = Migration(2, "second", "CREATE TABLE b (n int);")

pytestmark = pytest.mark.anyio


async def tables(url: str) -> set[str]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        rows = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in await rows.fetchall()}


async def test_an_empty_database_gets_every_migration_and_a_second_run_does_nothing(empty_database: str) -> None:
    first = await migrate(empty_database)
    second = await migrate(empty_database)

    assert first == len(shipped()) > 0
    assert second == 0


async def test_two_at_once_apply_each_migration_once(empty_database: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database, [FIRST, SECOND]) for _ in range(4)))

    assert sorted(done) == [0, 0, 0, 2]
    assert {"a", "b"} <= await tables(empty_database)


async def test_a_migration_whose_text_changed_after_it_was_applied_is_refused(empty_database: str) -> None:
    await migrate(empty_database, [FIRST])
    changed = Migration(1, "first", FIRST.sql + " -- harmless?")

    with pytest.raises(MigrationError, match=r"0001_first was applied with another text"):
        await migrate(empty_database, [changed, SECOND])

    assert "b" not in await tables(empty_database)


async def test_a_failed_migration_leaves_nothing_and_keeps_those_before_it(empty_database: str) -> None:
    broken = Migration(2, "broken", "CREATE TABLE half (n int); SELECT 1 / 0;")

    with pytest.raises(MigrationError, match="0002_broken failed and left nothing: division by zero"):
        await migrate(empty_database, [FIRST, broken])

    assert await tables(empty_database) == {"schema_version", "a"}
    assert await migrate(empty_database, [FIRST, SECOND]) == 1


async def test_what_a_database_lacks_is_told_without_touching_it(empty_database: str) -> None:
    before = await missing(empty_database)
    untouched = await tables(empty_database)
    await migrate(empty_database)

    assert before == shipped()
    assert untouched == set()
    assert await missing(empty_database) == []


async def test_a_database_that_does_not_answer_is_unavailable_after_the_patience() -> None:
    nobody = Postgres(url="postgresql://nobody@127.0.0.1:1/none", pool=1)

    with pytest.raises(Unavailable):
        await migrate(nobody.url, patience=0.3)
    with pytest.raises(Unavailable):
        async with open_database(nobody, name="test", patience=0.3):
            pass


async def test_jobs_from_before_they_could_be_looked_for_are_found(empty_database: str) -> None:
    migrations = shipped()
    version = next(migration.version for migration in migrations if migration.name == "finding_jobs")
    await migrate(empty_database, migrations[: version - 1])
    async with await psycopg.AsyncConnection.connect(empty_database) as connection:
        await connection.execute(
            """
            WITH workspace AS (INSERT INTO workspace (name) VALUES ('people') RETURNING id),
                source AS (INSERT INTO source (id, workspace) SELECT gen_random_uuid(), id FROM workspace RETURNING id),
                job AS (INSERT INTO job (id, workspace, kind, variations, options, seed)
                    SELECT gen_random_uuid(), id, 'variations', 1, '{"name": "Spring"}', 1 FROM workspace RETURNING id)
            INSERT INTO video (id, job_id, position, name, source_id)
            SELECT gen_random_uuid(), job.id, n, n || '.MP4', source.id FROM job, source, generate_series(0, 1) AS n
            """
        )

    await migrate(empty_database, migrations[:version])

    async with await psycopg.AsyncConnection.connect(empty_database) as connection:
        rows = await (await connection.execute("SELECT search FROM job")).fetchall()
    assert rows == [("spring\n0.mp4\n1.mp4",)]


async def test_a_release_works_with_a_newer_schema_unless_a_migration_shuts_it_out(empty_database: str) -> None:
    ours = newest()
    more = [Migration(ours + 1, "more", "CREATE TABLE more (n int);")]
    away = [Migration(ours + 2, "away", f"-- needs: {ours + 1}\nDROP TABLE more;")]

    async with open_database(Postgres(url=empty_database, pool=1), name="test") as database:
        with pytest.raises(SchemaMisfit, match=f"at schema 0 and this release needs {ours}: run `python"):
            await check(database)
        await migrate(empty_database)
        await check(database)
        await migrate(empty_database, [*shipped(), *more])
        await check(database)
        await migrate(empty_database, [*shipped(), *more, *away])
        with pytest.raises(SchemaMisfit, match=f"needs a release with schema {ours + 1} or newer, and"):
            await check(database)


async def test_who_starts_before_the_migration_waits_for_it(empty_database: str) -> None:
    async with open_database(Postgres(url=empty_database, pool=1), name="test") as database:
        waiting = asyncio.create_task(awaited(database))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        await migrate(empty_database)
        await waiting

    assert not done


async def test_a_database_of_the_first_releases_is_read_and_gets_the_new_column(empty_database: str) -> None:
    await migrate(empty_database)
    async with await psycopg.AsyncConnection.connect(empty_database) as connection:
        await connection.execute("ALTER TABLE schema_version DROP COLUMN needs")

    lacking = await missing(empty_database)
    async with open_database(Postgres(url=empty_database, pool=1), name="test") as database:
        await check(database)
    await migrate(empty_database)

    assert lacking == []


async def test_a_migration_waits_for_those_who_work_without_standing_in_their_way(empty_database: str) -> None:
    await migrate(empty_database, [FIRST])
    wider = Migration(2, "wider", "ALTER TABLE a ADD COLUMN m int;")

    async with await psycopg.AsyncConnection.connect(empty_database) as working:
        await working.execute("SELECT n FROM a")  # and its transaction goes on
        with capture_logs() as logs:
            migrating = asyncio.create_task(migrate(empty_database, [FIRST, wider]))
            await eventually(lambda: _said(logs, "others work; the migration tries again"))
            async with await psycopg.AsyncConnection.connect(empty_database) as another:
                async with asyncio.timeout(20):
                    await another.execute("SELECT n FROM a")
        await working.commit()
        done = await migrating

    assert done == 1


async def _said(logs: Sequence[Mapping[str, Any]], words: str) -> bool:
    return any(entry["event"] == words for entry in logs)
