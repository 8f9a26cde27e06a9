"""Who is served next: the least loaded workspace, in it the least loaded job, then the oldest; and how fast."""

import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from retake.domain.work import RECIPE_VERSION, Claim
from retake.store import parts
from retake.store.announcements import mark_announced, next_to_announce, withdraw_unheard
from retake.store.workspaces import ensure_workspace
from store.scene import TIMING, Accepted, Scene, plan

pytestmark = pytest.mark.anyio


async def announced(scene: Scene) -> Counter[UUID]:
    """How many parts of each job the next pass announces."""
    return Counter(part.job for part in await next_to_announce(scene.database, TIMING))


class Fleet:
    """Workers that take what is announced at once, and finish it in the order they took it."""

    def __init__(self, scene: Scene, slots: int) -> None:
        self._scene, self._slots = scene, slots
        self._running: list[Claim] = []
        self.finished: Counter[UUID] = Counter()

    async def finish_one(self) -> None:
        database = self._scene.database
        await self._scene.worker(slots=self._slots)
        for part in await next_to_announce(database, TIMING):
            await mark_announced(database, part.part, part.generation)
        heard = await self._scene.sql("SELECT id FROM part WHERE announced_at IS NOT NULL ORDER BY announced_at")
        for part in heard[: self._slots - len(self._running)]:
            self._running.append(await self._scene.claim(part["id"]))
        done = self._running.pop(0)
        await parts.finish_inspect(database, done, plan(0), RECIPE_VERSION, TIMING)
        self.finished[done.job] += 1

    async def finish(self, job: Accepted) -> None:
        while self.finished[job.id] < len(job.videos):
            await self.finish_one()


async def test_two_parts_that_come_after_two_hundred_are_done_before_a_twentieth_of_those(scene: Scene) -> None:
    long = await scene.catalog(200)
    fleet = Fleet(scene, slots=4)
    await fleet.finish_one()
    short = await scene.catalog(2)

    await fleet.finish(short)

    assert fleet.finished[long.id] < 10


async def test_ten_jobs_of_one_workspace_do_not_starve_another(scene: Scene) -> None:
    for _ in range(10):
        await scene.catalog(20)
    fleet = Fleet(scene, slots=4)
    await fleet.finish_one()
    other = await scene.catalog(6, workspace=await ensure_workspace(scene.database, "others"))

    await fleet.finish(other)

    assert fleet.finished.total() <= 2 * 6 + 6


async def test_a_workspace_that_weighs_three_times_as_much_gets_three_times_as_much(scene: Scene) -> None:
    light = await scene.catalog(20)
    heavy = await scene.catalog(20, workspace=await ensure_workspace(scene.database, "heavy", weight=3))
    await scene.worker(slots=12)

    assert await announced(scene) == {light.id: 3, heavy.id: 9}


async def test_a_job_of_twice_the_priority_gets_twice_as_much(scene: Scene) -> None:
    usual, urgent = await scene.catalog(20), await scene.catalog(20, priority=2)
    await scene.worker(slots=12)

    assert await announced(scene) == {usual.id: 4, urgent.id: 8}


async def test_what_runs_already_counts(scene: Scene) -> None:
    first, second = await scene.catalog(20), await scene.catalog(20)
    for part in (await scene.parts(first))[:4]:
        await scene.claim(part["id"])
    await scene.worker(slots=6)

    assert await announced(scene) == {first.id: 1, second.id: 5}


async def test_what_another_workspace_runs_does_not_count_among_the_jobs_of_one(scene: Scene) -> None:
    others = await ensure_workspace(scene.database, "others")
    busy = await scene.catalog(20, workspace=others)
    for part in (await scene.parts(busy))[:6]:
        await scene.claim(part["id"])
    first, second = await scene.catalog(20), await scene.catalog(20)
    await scene.worker(slots=6)

    assert await announced(scene) == {first.id: 3, second.id: 3}


async def test_equals_are_served_by_age_and_a_job_s_parts_in_their_order(scene: Scene) -> None:
    older, newer = await scene.catalog(2), await scene.catalog(2)
    await scene.worker(slots=4)

    order = [part.part for part in await next_to_announce(scene.database, TIMING)]

    a, b = await scene.parts(older)
    c, d = await scene.parts(newer)
    assert order == [a["id"], c["id"], b["id"], d["id"]]


async def test_the_places_of_a_job_that_has_too_little_go_to_the_others(scene: Scene) -> None:
    little, much = await scene.catalog(1), await scene.catalog(20)
    await scene.worker(slots=8)

    assert await announced(scene) == {little.id: 1, much.id: 7}


@pytest.mark.parametrize(("workspaces", "jobs"), [(1, 1), (1, 1000), (10, 1000), (1000, 1000)])
async def test_a_hundred_thousand_waiting_parts_are_no_burden(scene: Scene, workspaces: int, jobs: int) -> None:
    await fill(scene, workspaces, jobs, 100_000)
    await scene.worker(slots=64)

    announcing = await milliseconds(lambda: next_to_announce(scene.database, TIMING))
    withdrawing = await milliseconds(lambda: withdraw_unheard(scene.database, TIMING))
    looking_at_all = await milliseconds(lambda: scene.sql(EVERY_WAITING_PART))

    assert len(await next_to_announce(scene.database, TIMING)) == 32
    assert announcing < max(20, looking_at_all / 3)  # the latter on a machine that is busy with other things
    assert withdrawing < max(20, looking_at_all / 3)


EVERY_WAITING_PART = """
    SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY job_id ORDER BY id) AS turn
                    FROM part WHERE state = 'queued' AND announced_at IS NULL) AS waiting
    ORDER BY turn LIMIT 32
"""


async def milliseconds(call: Callable[[], Awaitable[object]]) -> float:
    """The median of five."""
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        await call()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


async def fill(scene: Scene, workspaces: int, jobs: int, backlog: int) -> None:
    """So many parts that wait, in so many jobs of one video each."""
    source = await scene.source()
    await scene.sql("INSERT INTO workspace (name) SELECT 'w' || n FROM generate_series(1, %s) n", workspaces)
    await scene.sql("INSERT INTO storage (workspace) SELECT id FROM workspace ON CONFLICT DO NOTHING")
    await scene.sql(
        """
        WITH numbered AS (SELECT id, row_number() OVER (ORDER BY number) - 1 AS n FROM workspace WHERE name LIKE 'w%%')
        INSERT INTO job (id, workspace, kind, variations, seed)
        SELECT gen_random_uuid(), numbered.id, 'catalog', 0, 1
        FROM generate_series(1, %s) j JOIN numbered ON numbered.n = j %% %s
        """,
        jobs,
        workspaces,
    )
    await scene.sql(
        "INSERT INTO video (id, job_id, position, name, source_id) SELECT gen_random_uuid(), id, 0, 'a', %s FROM job",
        source,
    )
    await scene.sql(
        """
        INSERT INTO part (job_id, video_id, kind, state, recipe_version)
        SELECT job_id, id, 'inspect', 'queued', 1 FROM generate_series(1, %s / %s) n, video
        """,
        backlog,
        jobs,
    )
    async with scene.database.transaction() as connection:
        await connection.execute("ANALYZE")
