"""The relay and the reaper beside their twins in other replicas, and while what they need is away."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats as nats_py
import pytest

from conftest import eventually
from faults.works import Works, works
from retake.bus.connection import Bus
from retake.bus.errors import BusUnavailable
from retake.bus.messages import PartAnnounced
from retake.domain.work import RECIPE_VERSION
from retake.reaper import run_reaper
from retake.relay import Relay
from retake.settings import Bucket, Nats, Postgres
from retake.store import fleet
from retake.store.connect import Connection, Database, Unavailable

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(postgres: Postgres, bucket: Bucket, nats: Nats, tmp_path: Path) -> AsyncIterator[Works]:
    async with works(postgres, bucket, nats, tmp_path) as opened:
        yield opened


async def slots(here: Works, count: int) -> None:
    """A worker that lives, and takes nothing."""
    await fleet.seen(here.database, "idle", version="1", recipe_version=RECIPE_VERSION, slots=count)


async def announced(here: Works) -> int:
    (row,) = await here.sql("SELECT count(*) AS n FROM part WHERE announced_at IS NOT NULL")
    return int(row["n"])


async def duties(here: Works) -> dict[str, str]:
    return {row["name"]: row["holder"] for row in await here.sql("SELECT name, holder FROM duty")}


async def test_three_replicas_announce_everything_once_and_nothing_twice(here: Works) -> None:
    jobs, told = 30, Counter[str]()
    client = await nats_py.connect(here.nats.url)
    subscription = await client.subscribe(f"{here.nats.stream}.parts.*")
    for _ in range(jobs):
        await here.submit()
    await slots(here, jobs)

    async def all_are_announced() -> bool:
        return await announced(here) == jobs

    async with AsyncExitStack() as replicas:
        for number in range(3):
            await replicas.enter_async_context(here.relaying(f"replica-{number}"))
        for _ in range(20):
            await here.bus.wake()
        await eventually(all_are_announced)

    with suppress(nats_py.errors.TimeoutError):
        while True:
            message = await subscription.next_msg(timeout=0.2)
            told[message.headers["Nats-Msg-Id"]] += 1
    await client.close()
    assert (len(told), set(told.values())) == (jobs, {1})


class Away:
    """A bus over which nothing can be published."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self.tried = bus, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def publish_part(self, part: PartAnnounced) -> None:
        self.tried.set()
        raise BusUnavailable("NATS is away")


async def test_a_replica_that_cannot_publish_lives_on_and_another_announces_at_once(here: Works) -> None:
    for _ in range(3):
        await here.submit()
    await slots(here, 3)
    away = Away(here.bus)
    cut_off = asyncio.create_task(Relay(here.database, away, here.timing, "cut off").run())  # type: ignore[arg-type]
    await away.tried.wait()

    async def all_are_announced() -> bool:
        return await announced(here) == 3

    async with here.relaying("other"):
        await eventually(all_are_announced)
        lives = not cut_off.done()

    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)
    assert lives


class Faulty(Database):
    """A database that may not answer for a while."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool)
        self.away = False

    @asynccontextmanager
    async def transaction(self, patience: float = 10) -> AsyncIterator[Connection]:
        if self.away:
            raise Unavailable("Postgres is away")
        async with super().transaction(patience) as connection:
            yield connection


async def test_a_relay_that_cannot_mark_what_it_announced_lives_on_and_the_part_is_announced_again(here: Works) -> None:
    new = await here.submit()
    await slots(here, 1)
    database = Faulty(here.database)

    class Last(Away):
        """After the publish, Postgres is away."""

        async def publish_part(self, part: PartAnnounced) -> None:
            await self._bus.publish_part(part)
            database.away = not self.tried.is_set()
            self.tried.set()

    last = Last(here.bus)
    relay = Relay(database, last, here.timing, "relay")  # type: ignore[arg-type]
    relaying = asyncio.create_task(relay.run())
    await eventually(lambda: _is(database.away))
    database.away = False
    relay.wake()

    async def is_announced() -> bool:
        return await announced(here) == 1

    await eventually(is_announced)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    assert await here.bus.waiting() == 1
    assert await here.state(new) == "queued"


async def _is(value: bool) -> bool:
    return value


async def test_replicas_that_stop_leave_their_duties_to_the_others(here: Works) -> None:
    reaping = asyncio.create_task(run_reaper(here.database, here.timing, "first"))

    async def holds_both() -> bool:
        return await duties(here) == {"relay": "first", "reap": "first"}

    async with here.relaying("first"):
        await eventually(holds_both)
    reaping.cancel()
    await asyncio.gather(reaping, return_exceptions=True)

    assert await duties(here) == {}


async def test_a_reaper_takes_the_duty_over_before_it_would_look_like_an_outage(here: Works) -> None:
    timing = replace(here.timing, reap_every=0.9, duty=1, reap_stall=1.5, lease=1, announce_poll=0.02)
    await here.sql("UPDATE reaping SET passed_at = now(), quiet_until = now()")
    await here.sql("INSERT INTO duty VALUES ('reap', 'killed', now() + interval '1 s')")

    reaping = asyncio.create_task(run_reaper(here.database, timing, "next"))

    async def is_held() -> bool:
        return await duties(here) == {"reap": "next"}

    await eventually(is_held)
    (row,) = await here.sql("SELECT quiet_until > now() AS quiet, passed_at FROM reaping")
    reaping.cancel()
    await asyncio.gather(reaping, return_exceptions=True)
    assert not row["quiet"]
