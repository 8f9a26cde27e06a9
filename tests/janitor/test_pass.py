"""A whole pass: chores that fail, that only say what they would do, with a wrong clock, and in many at once."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from conftest import Stack, eventually
from footage import TIMING, Filmed, Footage
from janitor.kubernetes_api import pods_api
from retake.blobs.bucket import open_blobs
from retake.blobs.keys import SourceChunk
from retake.domain.states import Wish
from retake.settings import Bucket, Clock, Nats, Observe, Postgres, Storage, read
from retake.store import fleet
from retake.store.connect import open_database
from retake.store.jobs import wish
from retake_janitor import orphan_objects, purge, sources
from retake_janitor.__main__ import CHORES, Settings, run
from retake_janitor.pods import Cluster

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent


@pytest.fixture
def settings(postgres: Postgres, bucket: Bucket, nats: Nats) -> Settings:
    """At a hundredth of the time, but for what the database's clock decides in hours."""
    return Settings(read(Observe, {}), postgres, bucket, nats, read(Storage, {}), Clock(scale=0.01))


@pytest.fixture
def environment(stack: Stack, settings: Settings) -> dict[str, str]:
    return {
        **stack.addresses.environment(),
        "RETAKE_DATABASE_URL": settings.postgres.url,
        "RETAKE_S3_BUCKET": settings.bucket.name,
        "RETAKE_S3_PREFIX": settings.bucket.prefix,
        "RETAKE_NATS_STREAM": settings.nats.stream,
    }


@pytest.fixture
async def empty() -> AsyncIterator[Cluster]:
    """A cluster that has no pods of workers."""
    async with pods_api() as api:
        yield Cluster("retake", api.host)


async def everything(footage: Footage) -> tuple[dict[str, Any], list[str]]:
    """All rows of all tables, and all keys."""
    tables = await footage.sql("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'")
    rows = {
        one["name"]: await footage.sql(f"SELECT to_jsonb(t) AS row FROM {one['name']} t ORDER BY t::text")
        for one in tables
    }
    return rows, await footage.objects()


async def stray(footage: Footage) -> str:
    key = SourceChunk(str(uuid4()), 0, uuid4().hex).key
    await footage.blobs.put(key, b"stray")
    await footage.sql("INSERT INTO orphan (key, size, first_seen) VALUES (%s, 5, now() - interval '2 hours')", key)
    return key


async def something_for_every_chore(footage: Footage) -> None:
    """Rows and objects of which each chore finds at least one that is its own."""
    due = await footage.finished()
    await footage.pass_time(due, "1 day")
    await wish(footage.database, (await footage.finished()).id, Wish.EXPIRE, "age")
    await footage.finished(size=2**20)
    lost = await footage.accepted()
    (claimed,) = await footage.claims(lost)
    await footage.sql("UPDATE part SET lease_until = now() - interval '1 second' WHERE id = %s", claimed.part)
    await footage.accepted()
    for name, seen in (("vanished", "-1 hour"), ("idle", "1 hour")):
        await fleet.seen(footage.database, name, version="1", recipe_version=9, slots=5)
        await footage.sql("UPDATE worker SET seen_at = now() + %s::interval WHERE name = %s", seen, name)
    await footage.arriving(due.workspace)
    await footage.sql("UPDATE source SET touched_at = now() - interval '2 days' WHERE state = 'open'")
    await footage.sql("UPDATE event SET at = now() - interval '8 days' WHERE id = (SELECT min(id) FROM event)")
    await stray(footage)


async def test_a_dry_run_says_what_every_chore_would_do_and_changes_nothing(
    footage: Footage, settings: Settings, empty: Cluster
) -> None:
    await something_for_every_chore(footage)
    tight = replace(settings, storage=read(Storage, {"RETAKE_STORAGE_CAP_MIB": "2"}))
    before = await everything(footage)

    done = await run(tight, dry=True, cluster=empty)

    assert done.errors == {}
    assert [name for name, count in done.counts.items() if not count] == []
    assert set(done.counts) == set(CHORES)
    assert await everything(footage) == before


async def test_a_pass_does_what_the_dry_run_said(footage: Footage, settings: Settings, empty: Cluster) -> None:
    await something_for_every_chore(footage)
    tight = replace(settings, storage=read(Storage, {"RETAKE_STORAGE_CAP_MIB": "2"}))

    done = await run(tight, cluster=empty)

    assert done.errors == {}
    assert [name for name, count in done.counts.items() if not count and name not in {"rescue", "announce"}] == []
    assert [job["expired_because"] for job in await footage.sql("SELECT * FROM job ORDER BY created_at")] == [
        "age", "age", "space", None, None
    ]  # fmt: skip


async def test_chores_that_fail_are_told_and_keep_none_of_the_others_from_their_turn(
    footage: Footage, settings: Settings, environment: dict[str, str]
) -> None:
    job = await footage.finished()
    await footage.pass_time(job, "1 day")
    await footage.sql("ALTER TABLE part RENAME lease_until TO lease_gone")
    await footage.sql("ALTER TABLE upload RENAME TO upload_gone")

    code, _ = await janitor(environment)
    await footage.sql("ALTER TABLE part RENAME lease_gone TO lease_until")
    await footage.sql("ALTER TABLE upload_gone RENAME TO upload")

    (row,) = await footage.sql("SELECT counts, errors FROM janitor_run")
    assert code == 1
    assert set(row["errors"]) == {"rescue", "abandoned_uploads", "tombstones"}
    assert (row["counts"]["expire"], row["counts"]["purge"]) == (1, 1)
    assert (await footage.job(job))["purged_at"] is not None


async def janitor(environment: dict[str, str], *words: str, **more: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "retake_janitor", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**{name: value for name, value in os.environ.items() if not name.startswith("RETAKE_")},
             "RETAKE_TIME_SCALE": "0.01", **environment, **more},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_without_the_object_store_everything_else_is_done(footage: Footage, environment: dict[str, str]) -> None:
    job = await footage.finished()
    await footage.pass_time(job, "1 day")

    code, _ = await janitor(environment, RETAKE_S3_SECRET_KEY="wrong")

    (row,) = await footage.sql("SELECT counts, errors FROM janitor_run")
    assert code == 1
    assert set(row["errors"]) == {"purge", "sources", "abandoned_uploads", "orphan_objects"}
    assert row["counts"]["expire"] == 1


async def test_only_the_chores_that_were_asked_for_are_done(footage: Footage, environment: dict[str, str]) -> None:
    code, said = await janitor(environment, "expire", "purge", "--dry-run")

    assert code == 0, said
    told = json.loads(said.splitlines()[-1])
    assert {name: told[name] for name in CHORES if name in told} == {"expire": 0, "purge": 0}
    assert (await janitor(environment, "nothing"))[0] == 2


@pytest.mark.parametrize("hours", ["25", "-25"])
async def test_a_janitor_whose_clock_is_wrong_does_what_one_does_whose_clock_is_right(
    footage: Footage, environment: dict[str, str], hours: str
) -> None:
    due, young = await footage.finished(), await footage.finished()
    await footage.pass_time(due, "24 hours")
    await footage.pass_time(young, "23 hours 59 minutes")
    old, fresh = await stray(footage), await stray(footage)
    await footage.sql("UPDATE orphan SET first_seen = now() - interval '1 hour' WHERE key = %s", fresh)
    waiting = await footage.arriving(young.workspace)
    path = os.pathsep.join([str(HERE / "shifted"), *filter(None, [os.environ.get("PYTHONPATH")])])

    chores = [name for name in CHORES if name not in {"rescue", "announce"}]  # which wait for leases

    code, said = await janitor(environment, *chores, PYTHONPATH=path, SHIFT_HOURS=hours, RETAKE_TIME_SCALE="1")

    assert code == 0, said
    assert '"expire": 1' in said
    assert [(await footage.job(job))["state"] for job in (due, young)] == ["expired", "completed"]
    objects = await footage.objects()
    assert (old in objects, fresh in objects) == (False, True)
    assert len([key for key in objects if str(young.id) in key]) == 5
    assert await footage.sql("SELECT state FROM source WHERE id = %s", waiting) == [{"state": "open"}]


async def test_rows_that_have_told_their_story_are_forgotten_and_no_others(
    footage: Footage, settings: Settings
) -> None:
    old, listed = await footage.finished(), await footage.finished()
    for job in (old, listed):
        await wish(footage.database, job.id, Wish.EXPIRE, "age")
    await run(settings)
    await footage.sql("UPDATE job SET purged_at = purged_at - interval '7 days 1 second' WHERE id = %s", old.id)
    await footage.sql("UPDATE job SET purged_at = purged_at - interval '6 days' WHERE id = %s", listed.id)
    await footage.sql("UPDATE event SET at = now() - interval '8 days' WHERE job_id = %s", old.id)
    for key, age in (("old", "25 hours"), ("new", "23 hours")):
        await footage.sql(
            """
            INSERT INTO idempotency (workspace, key, owner, lease_until, created_at)
            VALUES (%s, %s, gen_random_uuid(), now() - interval '1 h', now() - %s::interval)
            """,
            old.workspace, key, age,
        )  # fmt: skip

    done = await run(settings, only=["tombstones"])

    assert done.errors == {}
    assert [row["id"] for row in await footage.sql("SELECT id FROM job")] == [listed.id]
    assert await footage.sql("SELECT DISTINCT job_id AS id FROM event") == [{"id": listed.id}]
    assert await footage.sql("SELECT key FROM idempotency") == [{"key": "new"}]
    assert len(await footage.sql("SELECT id FROM source")) == 1
    assert await run(settings, only=["tombstones"]) == type(done)(counts={"tombstones": 0})


@asynccontextmanager
async def stopped_in_the_middle(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A janitor that is stopped just before it deletes its first object; woken at the end, it must end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "pausing.py"), env={**os.environ, **environment}
    )

    async def is_stopped() -> bool:
        assert process.returncode is None
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    try:
        await eventually(is_stopped, within=60)
        yield process
        process.send_signal(signal.SIGCONT)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_of_five_janitors_one_is_stopped_in_the_middle_and_wakes_when_the_others_are_done(
    footage: Footage, settings: Settings, environment: dict[str, str]
) -> None:
    gone: list[Filmed] = [await footage.finished() for _ in range(4)]
    for job in gone:
        await wish(footage.database, job.id, Wish.EXPIRE, "age")
    stays = await footage.finished(options={"keepSource": True})
    kept = [key for key in await footage.objects() if str(stays.id) in key]
    for _ in range(3):
        await stray(footage)

    async with stopped_in_the_middle(environment), AsyncExitStack() as opened:
        others = [
            (
                await opened.enter_async_context(open_database(settings.postgres, name=f"janitor-{number}")),
                await opened.enter_async_context(open_blobs(settings.bucket, threads=4)),
            )
            for number in range(4)
        ]
        purged = sum(await asyncio.gather(*(purge.run_once(*one) for one in others)))
        swept = sum(await asyncio.gather(*(sources.run_once(*one) for one in others)))
        await asyncio.gather(*(orphan_objects.run_once(*one, TIMING) for one in others))
        left = await footage.objects()

    assert (purged, swept) == (4, 4)
    assert len(left) == len(kept) + 2
    assert await footage.objects() == left
    assert await footage.charged(stays) == 2 * 1000 + 200


async def test_a_janitor_that_is_told_to_stop_leaves_the_chores_that_are_left_to_the_next_pass(
    footage: Footage, settings: Settings
) -> None:
    await something_for_every_chore(footage)
    told = asyncio.Event()
    told.set()

    done = await run(settings, stopping=told)

    assert (done.counts, done.errors) == ({}, {})
    assert await footage.sql("SELECT counts FROM janitor_run WHERE ended_at IS NOT NULL") == [{"counts": {}}]
