"""The table of failures against whoever else knows its codes."""

import re
from uuid import uuid4

import pytest

from retake.domain.errors import FAILURES, Failure
from retake.domain.limits import Limits
from retake.settings import Videos, read
from retake.store.connect import Database


async def keeps_the_source(database: Database, code: str) -> bool:
    """What the database says of a source whose only video failed with this code before it had takes."""
    source, job = uuid4(), uuid4()
    async with database.transaction() as connection:
        rows = await connection.execute("INSERT INTO workspace (name) VALUES (%s) RETURNING id", (str(source),))
        row = await rows.fetchone()
        assert row is not None
        await connection.execute(
            "INSERT INTO source (id, workspace, state, size) VALUES (%s, %s, 'ready', 1)", (source, row["id"])
        )
        await connection.execute(
            """
            INSERT INTO job (id, workspace, kind, variations, seed, state, ended_at, expires_at)
            VALUES (%s, %s, 'variations', 5, 1, 'failed', now(), now() + interval '1 day')
            """,
            (job, row["id"]),
        )
        await connection.execute(
            """
            INSERT INTO video (id, job_id, position, name, source_id, state, error_code, error)
            VALUES (%s, %s, 1, 'clip.mp4', %s, 'failed', %s, 'why')
            """,
            (uuid4(), job, source, code),
        )
        rows = await connection.execute("SELECT source_needed(%s) AS needed", (source,))
        row = await rows.fetchone()
        assert row is not None
        return bool(row["needed"])


@pytest.mark.anyio
async def test_the_database_keeps_a_source_exactly_while_trying_again_may_help(database: Database) -> None:
    kept = {one.code: await keeps_the_source(database, one.code) for one in FAILURES}

    assert kept == {one.code: not one.final for one in FAILURES}


def test_codes_are_snake_case_and_each_has_one_meaning() -> None:
    codes = [one.code for one in FAILURES]

    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.code)
def test_a_failure_is_one_plain_sentence(failure: Failure) -> None:
    assert failure.sentence[0].isupper()
    assert failure.sentence.endswith(".")
    assert not re.search(r"ffmpeg|moov|atom|stream|exit|[/\\]|\n", failure.sentence, re.IGNORECASE)


def test_the_settings_default_to_the_limits_of_the_domain() -> None:
    assert read(Videos, {}).limits() == Limits()
