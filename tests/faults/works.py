"""Everything one worker needs, on the session's servers and in this process, and what tests do with it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from faults.jobs import clip, new_job
from retake.blobs.bucket import Blobs, open_blobs
from retake.bus.connection import Bus, open_bus
from retake.domain.timing import Timing
from retake.relay import Relay
from retake.settings import Bucket, Nats, Postgres
from retake.store.connect import Database, open_database
from retake.store.jobs import NewJob, accept
from retake.store.workspaces import ensure_workspace
from retake_worker.consume import Consumer
from retake_worker.ffmpeg_process import find_ffmpeg
from retake_worker.scratch import Scratch
from retake_worker.tools import Tools


@dataclass(frozen=True)
class Works:
    """One test's database, bucket and stream, opened."""

    postgres: Postgres
    bucket: Bucket
    nats: Nats
    timing: Timing
    database: Database
    blobs: Blobs
    bus: Bus
    workspace: UUID
    scratch: Path

    async def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(statement.encode(), values)
            return await rows.fetchall() if rows.description else []

    async def submit(self, *videos: bytes, takes: int = 1) -> NewJob:
        new = await new_job(self.database, self.blobs, self.workspace, videos or (clip(),), takes)
        await accept(self.database, new)
        return new

    async def state(self, new: NewJob) -> str:
        (row,) = await self.sql("SELECT state FROM job WHERE id = %s", new.id)
        return row["state"]

    def tools(self, name: str = "worker", **others: Any) -> Tools:
        scratch = Scratch(self.scratch, name)
        tools = Tools(
            self.database, self.blobs, self.bus, self.timing, scratch, name, slots=1, ffmpeg=find_ffmpeg(None)
        )
        return replace(tools, **others)

    @asynccontextmanager
    async def relaying(self, name: str = "relay") -> AsyncIterator[None]:
        """What is accepted is announced."""
        task = asyncio.create_task(Relay(self.database, self.bus, self.timing, name).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def working(self, name: str = "worker", **others: Any) -> AsyncIterator[Consumer]:
        """A worker, which leaves in the end; its error, if it has one, is the test's."""
        async with open_bus(self.nats, self.timing, name=name) as bus:
            tools = self.tools(name, **{"bus": bus, **others})
            consumer = Consumer(tools)
            task = asyncio.create_task(consumer.run())
            try:
                yield consumer
            finally:
                await consumer.leave()
                try:
                    await task
                finally:
                    tools.scratch.close()


@asynccontextmanager
async def works(
    postgres: Postgres, bucket: Bucket, nats: Nats, scratch: Path, timing: Timing | None = None
) -> AsyncIterator[Works]:
    timing = timing or Timing()
    async with (
        open_database(postgres, name="works") as database,
        open_blobs(bucket) as blobs,
        open_bus(nats, timing, name="works") as bus,
    ):
        workspace = await ensure_workspace(database, "people")
        yield Works(postgres, bucket, nats, timing, database, blobs, bus, workspace, scratch)


def while_frozen(others: Callable[[], Awaitable[None]]) -> None:
    """The caller's event loop stands still, and the world goes on without it, on a loop of its own."""
    failed: list[BaseException] = []

    def live() -> None:
        try:
            asyncio.run(others())  # type: ignore[arg-type]
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    thread = threading.Thread(target=live)
    thread.start()
    thread.join(30)
    if failed:
        raise failed[0]
