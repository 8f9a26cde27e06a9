import asyncio

import pytest

from retake.store.connect import Database
from retake.store.fleet import give_up_duty, take_duty
from retake.store.workspaces import ensure_workspace
from store.scene import Scene

pytestmark = pytest.mark.anyio


async def take(database: Database, holder: str) -> bool:
    return await take_duty(database, "relay", holder, 10)


async def test_one_of_many_holds_a_duty_and_renews_it(database: Database) -> None:
    taken = await asyncio.gather(*(take(database, f"replica {n}") for n in range(8)))
    holder = f"replica {taken.index(True)}"

    assert sum(taken) == 1
    assert await take(database, holder) is True
    assert await take(database, "another") is False


async def test_a_duty_whose_holder_is_not_heard_of_is_taken_over(scene: Scene) -> None:
    await take(scene.database, "one")
    await scene.sql("UPDATE duty SET until = now() - interval '1 s'")

    assert await take(scene.database, "two") is True
    assert await take(scene.database, "one") is False


async def test_a_duty_that_is_given_up_is_free_and_only_its_holder_gives_it_up(database: Database) -> None:
    await take(database, "one")
    await give_up_duty(database, "relay", "two")
    still = await take(database, "two")

    await give_up_duty(database, "relay", "one")

    assert still is False
    assert await take(database, "two") is True


async def test_a_worker_that_says_so_again_is_still_one(scene: Scene) -> None:
    await scene.worker(slots=1)

    await scene.worker(slots=3)

    assert await scene.sql("SELECT name, slots FROM worker") == [{"name": "worker", "slots": 3}]


async def test_a_workspace_asked_for_by_many_at_once_is_one_with_one_ledger(scene: Scene) -> None:
    found = await asyncio.gather(*(ensure_workspace(scene.database, "new") for _ in range(8)))

    assert len(set(found)) == 1
    assert await scene.sql("SELECT bytes FROM storage WHERE workspace = %s", found[0]) == [{"bytes": 0}]
