"""A workspace on real Postgres, and what a test does in it, in as few words as possible."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from retake.domain.errors import Failure
from retake.domain.timing import Timing
from retake.domain.work import RECIPE_VERSION, Claim, Plan, Planned, Rendered
from retake.store import fleet, parts, sources
from retake.store.connect import Database
from retake.store.jobs import NewJob, accept
from retake.store.reaping import Reaped, reap
from retake.store.work import work_of

TIMING = Timing()
AT_ONCE = replace(TIMING, lease=0)
"""For a reap pass: the session's Postgres is young, and this pass does not mind."""
BROKEN = Failure("broken", "It is broken.")
SIZE = 1000
ESTIMATE = 1100  # of accept, for one take of a source of that size
RESERVE, RESULT = 700, 400  # what a plan promises for a take, and what the take then needs

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Accepted:
    id: UUID
    videos: list[UUID]

    @property
    def video(self) -> UUID:
        (only,) = self.videos
        return only


def plan(takes: int, cost: float = 1) -> Plan:
    """So many takes, of so many CPU seconds each."""
    planned = [
        Planned(index, {"index": index, "output": {"profile": "fast"}}, RESERVE, cost) for index in range(1, takes + 1)
    ]
    return Plan({"frames": 1}, "sha of the source", planned)


def rendered(index: int, claimed: Claim, size: int = RESULT) -> Rendered:
    return Rendered(index, f"{claimed.video}/{index}.{claimed.number}.mp4", size, 7, "sha of the take")


class Scene:
    def __init__(self, database: Database, workspace: UUID) -> None:
        self.database, self.workspace = database, workspace

    async def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What the store has no words for: to look at rows, and to move times."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(statement.encode(), values)
            return await rows.fetchall() if rows.description is not None else []

    async def look(self, *queries: str) -> list[list[dict[str, Any]]]:
        """The rows of each."""
        async with self.database.transaction() as connection:
            return [await (await connection.execute(query.encode())).fetchall() for query in queries]

    async def one(self, table: str, key: Any) -> Row:
        (row,) = await self.sql(f"SELECT * FROM {table} WHERE id = %s", key)
        return row

    async def source(self, size: int = SIZE, workspace: UUID | None = None) -> UUID:
        """A source of one chunk, ready."""
        source = await sources.begin_source(self.database, workspace or self.workspace)
        key = f"sources/{source}/00000-{uuid4().hex}"
        await sources.intend_chunk(self.database, source, n=0, start=0, size=size, sha256="sha", key=key)
        await sources.chunk_done(self.database, source, key)
        await sources.finish_source(self.database, source)
        return source

    async def job(self, videos: int = 1, takes: int = 2, workspace: UUID | None = None, **request: Any) -> Accepted:
        """Accepted, and not looked at yet."""
        owner = workspace or self.workspace
        named = [(f"{number}.mp4", await self.source(workspace=owner)) for number in range(videos)]
        return await self.accept(owner, named, takes, **request)

    async def catalog(self, videos: int, workspace: UUID | None = None, **request: Any) -> Accepted:
        """Many videos of one source, and of each no takes: as many parts, each done in one step."""
        owner = workspace or self.workspace
        named = [("a.mp4", await self.source(workspace=owner))] * videos
        return await self.accept(owner, named, 0, kind="catalog", **request)

    async def accept(self, owner: UUID, named: list[tuple[str, UUID]], takes: int, **request: Any) -> Accepted:
        new = NewJob(owner, named, takes, seed=1, **request)
        return Accepted(new.id, await accept(self.database, new))

    async def planned(self, videos: int = 1, takes: int = 2, cost: float = 1, **request: Any) -> Accepted:
        """A job whose videos are inspected, so that its render parts wait."""
        job = await self.job(videos, takes, **request)
        for part in await self.parts(job, state="queued"):
            claimed = await self.claim(part["id"])
            await parts.finish_inspect(self.database, claimed, plan(takes, cost), RECIPE_VERSION, TIMING)
        return job

    async def ended(self, **request: Any) -> Accepted:
        """A job that is completed."""
        job = await self.planned(**request)
        for part in await self.parts(job, state="queued"):
            await self.render(await self.claim(part["id"]))
        return job

    async def parts(self, job: Accepted, **where: Any) -> list[Row]:
        rows = await self.sql("SELECT * FROM part WHERE job_id = %s ORDER BY id", job.id)
        return [row for row in rows if all(row[name] == value for name, value in where.items())]

    async def part(self, job: Accepted, **where: Any) -> Row:
        (only,) = await self.parts(job, **where)
        return only

    async def variations(self, video: UUID) -> list[Row]:
        return await self.sql("SELECT * FROM variation WHERE video_id = %s ORDER BY index", video)

    async def states(self, job: Accepted) -> tuple[str, list[str], list[str], list[str]]:
        """Of the job, its videos, its parts and its variations."""
        videos = await self.sql("SELECT id, state FROM video WHERE job_id = %s ORDER BY position", job.id)
        takes = [row["state"] for video in videos for row in await self.variations(video["id"])]
        found = [row["state"] for row in await self.parts(job)]
        return (await self.one("job", job.id))["state"], [row["state"] for row in videos], found, takes

    async def claim(self, part: int, worker: str = "worker") -> Claim:
        claimed = await parts.claim(self.database, part, worker, RECIPE_VERSION, TIMING)
        assert claimed is not None
        return claimed

    async def claim_next(self, job: Accepted) -> Claim:
        """The oldest part of the job that waits."""
        return await self.claim((await self.parts(job, state="queued"))[0]["id"])

    async def render(self, claimed: Claim) -> None:
        """All that is left of a render part."""
        work = await work_of(self.database, claimed)
        for take in work.takes:
            await parts.finish_variation(self.database, claimed, rendered(take.index, claimed), TIMING)
        await parts.finish_part(self.database, claimed, TIMING)

    async def lose(self, claimed: Claim) -> Reaped:
        """Its worker is not heard of for a lease, and the reaper comes by."""
        await self.lapse(claimed.part)
        return await reap(self.database, AT_ONCE)

    async def lapse(self, part: int) -> None:
        await self.sql("UPDATE part SET lease_until = now() - interval '1 s' WHERE id = %s", part)

    async def due(self, job: Accepted) -> None:
        """The time until which its parts wait is over."""
        await self.sql("UPDATE part SET not_before = now() WHERE job_id = %s", job.id)

    async def worker(self, name: str = "worker", slots: int = 1, recipe_version: int = RECIPE_VERSION) -> None:
        await fleet.seen(self.database, name, version="1", recipe_version=recipe_version, slots=slots)

    async def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table that moves: to prove that nothing changed."""
        tables = ("job", "video", "part", "variation", "source", "storage", "event", "idempotency")
        return {table: await self.sql(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}

    async def waiting(self, count: int) -> bool:
        """Do so many transactions wait for a lock?"""
        (row,) = await self.sql(
            "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(row["n"]) >= count

    async def settled(self, task: asyncio.Task[Any], waiting: int) -> bool:
        """Is it done, or does it wait with so many for a lock?"""
        return task.done() or await self.waiting(waiting)
