"""What operators type: `python -m retake ...` and, on a laptop, `make doctor`."""

import asyncio
import json
import os
import sys
from pathlib import Path

import psycopg
import pytest

from conftest import Stack
from retake.blobs.checks import CHECKS
from retake.bus.connection import open_bus
from retake.bus.messages import PartAnnounced
from retake.domain.timing import Timing
from retake.settings import Nats, Postgres
from retake.store.migrate import shipped
from retake_local import folder

pytestmark = pytest.mark.anyio


async def run(module: str, *words: str, **settings: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RETAKE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**environ, **settings},
    )  # fmt: skip
    said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


@pytest.fixture
def sound(stack: Stack, postgres: Postgres, unique: str) -> dict[str, str]:
    """The environment of an installation that is as it should be."""
    return {
        **stack.addresses.environment(),
        "RETAKE_DATABASE_URL": postgres.url,
        "RETAKE_S3_BUCKET": "retake-test",
        "RETAKE_S3_PREFIX": f"{unique}/",
        "RETAKE_NATS_STREAM": unique,
    }


async def test_migrate_brings_an_empty_database_up_and_then_finds_nothing_to_do(empty_database: str) -> None:
    first = await run("retake", "migrate", RETAKE_DATABASE_URL=empty_database)
    second = await run("retake", "migrate", RETAKE_DATABASE_URL=empty_database)

    count = len(shipped())
    assert first == (0, f"{count} migrations applied; the schema is at version {count}.\n", "")
    assert second == (0, f"0 migrations applied; the schema is at version {count}.\n", "")


async def test_doctor_finds_nothing_wrong_with_what_is_sound(sound: dict[str, str]) -> None:
    code, said, complained = await run("retake", "doctor", **sound)

    assert (code, complained) == (0, "")
    assert [line for line in said.splitlines() if not line.startswith(" ")][:5] == [
        "settings",
        "postgres",
        "nats",
        "audit",
        "s3",
    ]
    assert said.count("\n  ok   ") == 5 + len(CHECKS)
    assert said.endswith(f"All {5 + len(CHECKS)} things are fine.\n")


async def test_doctor_names_the_migrations_that_a_database_lacks(empty_database: str) -> None:
    code, said, _ = await run("retake", "doctor", "postgres", RETAKE_DATABASE_URL=empty_database)

    assert code == 1
    assert "  ok   Postgres answers" in said
    assert "  BAD  the schema is that of this release: it lacks 0001_" in said
    assert said.endswith("1 of 2 things are not as they should be.\n")


async def test_doctor_says_that_the_object_store_lets_nobody_in(sound: dict[str, str]) -> None:
    code, said, complained = await run("retake", "doctor", "s3", **sound | {"RETAKE_S3_SECRET_KEY": "wrong"})

    assert (code, complained) == (1, "")
    assert "  BAD  the endpoint can be used: bucket retake-test: 403" in said


async def test_doctor_speaks_json_to_programs(sound: dict[str, str]) -> None:
    code, said, _ = await run("retake", "doctor", "postgres", "--json", **sound)

    document = json.loads(said)
    assert code == 0
    assert document["ok"] is True
    assert [(one["section"], one["ok"], one["problem"]) for one in document["findings"]] == [
        ("postgres", True, None)
    ] * 2


async def test_settings_that_make_no_sense_are_named_all_at_once_and_end_with_2(sound: dict[str, str]) -> None:
    del sound["RETAKE_NATS_URL"]
    code, said, complained = await run("retake", "doctor", **sound | {"RETAKE_S3_ENDPOINT": "here", "RETAKE_S3": "x"})

    assert code == 2
    assert said == "settings\n"
    assert [line.split()[0] for line in complained.splitlines()] == [
        "RETAKE_S3",
        "RETAKE_NATS_URL",
        "RETAKE_S3_ENDPOINT",
    ]


async def test_doctor_finds_a_ledger_that_is_wrong_and_repairs_it_only_when_asked(
    sound: dict[str, str], postgres: Postgres
) -> None:
    async with await psycopg.AsyncConnection.connect(postgres.url, autocommit=True) as connection:
        await connection.execute("INSERT INTO workspace (name) VALUES ('people')")
        await connection.execute("INSERT INTO storage (workspace, bytes) SELECT id, 7 FROM workspace")

    found = await run("retake", "doctor", "audit", **sound)
    again = await run("retake", "doctor", "audit", "--json", **sound)
    repaired = await run("retake", "doctor", "audit", "--repair", **sound)
    after = await run("retake", "doctor", "audit", "--at-rest", "--deep", **sound)

    assert found[0] == again[0] == 1
    assert "  BAD  I9: workspace" in found[1]
    assert "is charged 7 bytes and uses 0" in json.loads(again[1])["findings"][0]["problem"]
    assert (repaired[0], after[0]) == (0, 0)
    assert "repaired: workspace" in repaired[1]


async def test_doctor_finds_a_message_that_is_left_in_the_stream_when_nothing_should_be_under_way(
    sound: dict[str, str], nats: Nats
) -> None:
    async with open_bus(nats, Timing(), name="test") as bus:
        await bus.publish_part(PartAnnounced(part_id="1", generation=1, kind="inspect"))

    at_work = await run("retake", "doctor", "nats", **sound)
    at_rest = await run("retake", "doctor", "nats", "--at-rest", **sound)

    assert (at_work[0], at_rest[0]) == (0, 1)
    assert "I13: 1 messages are left in it" in at_rest[1]


@pytest.mark.parametrize("words", [(), ("cure",), ("doctor", "nothing"), ("migrate", "now")])
async def test_wrong_usage_ends_with_2_and_a_hint(words: tuple[str, ...]) -> None:
    code, _, complained = await run("retake", *words)

    assert code == 2
    assert complained.startswith("usage: python -m retake")


async def test_make_doctor_looks_at_the_system_that_runs(sound: dict[str, str], tmp_path: Path) -> None:
    folder.write_secret(tmp_path / "environment.json", json.dumps(sound))
    folder.write_secret(tmp_path / "state.json", json.dumps({"pid": 1, "url": "http://127.0.0.1:1", "parts": []}))

    with folder.locked(tmp_path):
        code, said, _ = await run("retake_local", "doctor", RETAKE_DATA=str(tmp_path))

    assert code == 0
    assert "things are fine." in said


async def test_make_doctor_says_so_when_nothing_runs_or_it_is_still_starting(tmp_path: Path) -> None:
    nothing = await run("retake_local", "doctor", RETAKE_DATA=str(tmp_path))

    folder.write_secret(tmp_path / "state.json", json.dumps({"pid": 1, "url": "", "parts": []}))
    with folder.locked(tmp_path):
        starting = await run("retake_local", "doctor", RETAKE_DATA=str(tmp_path))

    assert nothing[0] == starting[0] == 3
    assert f"retake does not run on {tmp_path}" in nothing[1]
    assert f"retake is still starting on {tmp_path}" in starting[1]
