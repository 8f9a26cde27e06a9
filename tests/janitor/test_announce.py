"""Announcing by the janitor: when no API is alive, and without keeping one that comes up from it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faults.works import Works, works
from retake.domain.work import RECIPE_VERSION
from retake.settings import Bucket, Nats, Postgres
from retake.store import fleet
from retake_janitor import announce

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(postgres: Postgres, bucket: Bucket, nats: Nats, tmp_path: Path) -> AsyncIterator[Works]:
    async with works(postgres, bucket, nats, tmp_path) as opened:
        await fleet.seen(opened.database, "idle", version="1", recipe_version=RECIPE_VERSION, slots=2)
        yield opened


async def test_what_waits_is_announced_and_the_duty_is_free_again(here: Works) -> None:
    for _ in range(2):
        await here.submit()

    announced = await announce.run_once(here.database, here.nats, here.timing, "janitor")

    assert (announced, await here.bus.waiting()) == (2, 2)
    assert await here.sql("SELECT holder FROM duty") == []


async def test_while_an_api_announces_the_janitor_leaves_it_to_it(here: Works) -> None:
    async def is_held() -> list[dict[str, object]]:
        return await here.sql("SELECT holder FROM duty")

    async with here.relaying("api"):
        while not await is_held():
            await asyncio.sleep(0.01)
        await here.submit()
        announced = await announce.run_once(here.database, here.nats, here.timing, "janitor")
        held = await is_held()

    assert announced == 0
    assert held == [{"holder": "api"}]
