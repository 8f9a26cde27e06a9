"""Above the storage cap's high mark: exactly as many jobs go as it takes, and the right ones."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from footage import TIMING, Filmed, Footage
from retake.settings import Postgres
from retake.store.connect import open_database
from retake.store.downloads import take
from retake.store.eviction import keep
from retake_janitor import evict, purge, sources

pytestmark = pytest.mark.anyio

TAKE = 100
"""Bytes of a job's only take; its source is swept before each test begins."""


async def ended(footage: Footage, count: int, owner: str = "people") -> list[Filmed]:
    """Jobs of one take each, in the order in which they ended."""
    jobs = [await footage.finished(takes=1, size=TAKE, owner=owner) for _ in range(count)]
    await sources.run_once(footage.database, footage.blobs)
    return jobs


async def expired(footage: Footage, jobs: list[Filmed]) -> list[int]:
    """Which of them, by their place."""
    rows = [await footage.job(job) for job in jobs]
    assert all(row["expired_because"] == "space" for row in rows if row["state"] == "expired")
    return [place for place, row in enumerate(rows) if row["state"] == "expired"]


async def test_of_thirty_jobs_and_a_small_cap_exactly_the_oldest_go_that_it_takes(footage: Footage) -> None:
    jobs = await ended(footage, 30)
    cap = 33 * TAKE  # 30 are more than 85 %, 24 no more than 75 %

    dry = await evict.run_once(footage.database, cap, dry=True)
    untouched = await expired(footage, jobs)
    evicted = await evict.run_once(footage.database, cap)
    await purge.run_once(footage.database, footage.blobs)

    assert (dry, untouched, evicted) == (6, [], 6)
    assert await expired(footage, jobs) == [0, 1, 2, 3, 4, 5]
    assert await footage.charged(jobs[0]) == 24 * TAKE <= 0.75 * cap
    assert len([key for key in await footage.objects("results/") if key.endswith(".mp4")]) == 24
    assert await evict.run_once(footage.database, cap) == 0


@pytest.mark.parametrize("cap", [None, 1180])
async def test_below_the_high_mark_and_without_a_cap_nothing_goes(footage: Footage, cap: int | None) -> None:
    jobs = await ended(footage, 10)

    assert await evict.run_once(footage.database, cap) == 0
    assert await expired(footage, jobs) == []


async def test_jobs_that_are_kept_or_being_downloaded_are_passed_over(footage: Footage) -> None:
    jobs = await ended(footage, 10)
    await keep(footage.database, jobs[0].workspace, jobs[0].id, most=1)
    await take(footage.database, jobs[2].id, TIMING)

    await evict.run_once(footage.database, 11 * TAKE)

    assert await expired(footage, jobs) == [1, 3]


async def test_the_workspace_that_uses_most_for_its_weight_gives_first(footage: Footage) -> None:
    heavy, light = await ended(footage, 3, owner="heavy"), await ended(footage, 8, owner="light")
    await footage.sql("UPDATE workspace SET weight = 0.25 WHERE name = 'heavy'")

    await evict.run_once(footage.database, 1067)  # three are too many

    assert await expired(footage, heavy) == [0, 1]
    assert await expired(footage, light) == [0]


async def test_five_janitors_at_once_take_no_more_than_one(footage: Footage, postgres: Postgres) -> None:
    jobs = await ended(footage, 12)

    async with AsyncExitStack() as opened:
        janitors = [
            await opened.enter_async_context(open_database(postgres, name=f"janitor-{number}")) for number in range(5)
        ]
        evicted = await asyncio.gather(*(evict.run_once(database, 13 * TAKE) for database in janitors))

    assert sum(evicted) == 3
    assert await expired(footage, jobs) == [0, 1, 2]
