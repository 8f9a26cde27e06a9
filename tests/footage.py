"""Jobs with bytes: sources and takes that lie in the bucket, made by the store's own moves."""

import hashlib
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from retake.audit import audit
from retake.blobs.bucket import Blobs
from retake.blobs.keys import Result, ResultThumb, SourceChunk, VideoThumb
from retake.domain.timing import Timing
from retake.domain.work import RECIPE_VERSION, Claim, Plan, Planned, Rendered
from retake.store import parts, sources
from retake.store.connect import Database
from retake.store.jobs import NewJob, accept, expire_due
from retake.store.work import work_of
from retake.store.workspaces import ensure_workspace

TIMING = Timing()
RESERVE = 10_000


@dataclass
class Filmed:
    """A job, and the bytes of its finished takes by (video position, index)."""

    id: UUID
    workspace: UUID
    videos: list[UUID]
    takes: dict[tuple[int, int], bytes] = field(default_factory=dict)


class Footage:
    def __init__(self, database: Database, blobs: Blobs) -> None:
        self.database, self.blobs = database, blobs

    async def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """What the store has no words for: to look at rows, and to move times."""
        async with self.database.transaction() as connection:
            rows = await connection.execute(statement.encode(), values)
            return await rows.fetchall() if rows.description is not None else []

    async def source(self, workspace: UUID, chunks: Sequence[int] = (100, 100)) -> UUID:
        """`chunks` are their sizes."""
        source = await sources.begin_source(self.database, workspace)
        for n, size in enumerate(chunks):
            key = await self.chunk(source, n, start=sum(chunks[:n]), size=size)
            await sources.chunk_done(self.database, source, key)
        await sources.finish_source(self.database, source)
        return source

    async def chunk(self, source: UUID, n: int = 0, start: int = 0, size: int = 100) -> str:
        """Put, and not said to be there."""
        data, key = os.urandom(size), SourceChunk(str(source), n, uuid4().hex).key
        sha256 = hashlib.sha256(data).hexdigest()
        await sources.intend_chunk(self.database, source, n=n, start=start, size=size, sha256=sha256, key=key)
        await self.blobs.put(key, data)
        return key

    async def arriving(self, workspace: UUID) -> UUID:
        """An open source, with a chunk that is there and one that is being put."""
        source = await sources.begin_source(self.database, workspace)
        await sources.chunk_done(self.database, source, await self.chunk(source))
        await self.chunk(source, 1, start=100)
        return source

    async def accepted(
        self,
        names: Sequence[str] = ("clip.mp4",),
        takes: int = 2,
        owner: str = "people",
        chunks: Sequence[int] = (100, 100),
        **request: Any,
    ) -> Filmed:
        workspace = await ensure_workspace(self.database, owner)
        videos = [(name, await self.source(workspace, chunks)) for name in names]
        new = NewJob(workspace, videos, takes, seed=7, **request)
        return Filmed(new.id, workspace, await accept(self.database, new))

    async def planned(self, names: Sequence[str] = ("clip.mp4",), takes: int = 2, **request: Any) -> Filmed:
        """Its videos are inspected, and each has one render part waiting per take."""
        job = await self.accepted(names, takes, **request)
        planned = [Planned(index, {"seed": 7, "index": index}, RESERVE, cost=60) for index in range(1, takes + 1)]
        for claimed in await self.claims(job):
            thumb = VideoThumb(str(job.id), str(claimed.video), claimed.number).key
            await self.blobs.put(thumb, b"thumb")
            plan = Plan({"frames": 1}, "sha of the source", planned, thumb)
            await parts.finish_inspect(self.database, claimed, plan, RECIPE_VERSION, TIMING)
        return job

    async def finished(
        self, names: Sequence[str] = ("clip.mp4",), takes: int = 2, size: int = 1000, **request: Any
    ) -> Filmed:
        """All its takes are stored."""
        job = await self.planned(names, takes, **request)
        for claimed in await self.claims(job):
            await self.render(job, claimed, os.urandom(size))
        return job

    async def claims(self, job: Filmed) -> list[Claim]:
        """All parts of the job that wait, claimed in order."""
        waiting = await self.sql("SELECT id FROM part WHERE job_id = %s AND state = 'queued' ORDER BY id", job.id)
        claimed = [await parts.claim(self.database, row["id"], "worker", RECIPE_VERSION, TIMING) for row in waiting]
        return [one for one in claimed if one is not None]

    async def render(self, job: Filmed, claimed: Claim, data: bytes) -> None:
        """The one take of that part, and its thumbnail."""
        (take,) = (await work_of(self.database, claimed)).takes
        place = (str(job.id), str(claimed.video), take.index, claimed.number)
        rendered = Rendered(
            take.index, Result(*place).key, len(data), zlib.crc32(data), hashlib.sha256(data).hexdigest(),
            duration=1.5, distance={"look": 0.9}, thumb_key=ResultThumb(*place).key, engine="ffmpeg 9 libx264",
        )  # fmt: skip
        await self.blobs.put(rendered.key, data)
        await self.blobs.put(ResultThumb(*place).key, b"thumb")
        assert await parts.finish_variation(self.database, claimed, rendered, TIMING)
        await parts.finish_part(self.database, claimed, TIMING)
        job.takes[job.videos.index(claimed.video), take.index] = data

    async def release(self, claimed: Claim) -> None:
        """Its worker gives the part back."""
        await parts.release(self.database, claimed, TIMING, blocked=False)

    async def job(self, job: Filmed) -> Mapping[str, Any]:
        (row,) = await self.sql("SELECT * FROM job WHERE id = %s", job.id)
        return row

    async def pass_time(self, job: Filmed, interval: str) -> None:
        """Its end, and the end of its time, were so much longer ago."""
        await self.sql(
            "UPDATE job SET ended_at = ended_at - %s::interval, expires_at = expires_at - %s::interval WHERE id = %s",
            interval, interval, job.id,
        )  # fmt: skip

    async def expired(self, job: Filmed) -> None:
        """A day after its end, when the janitor has come by."""
        await self.pass_time(job, "1 day")
        assert await expire_due(self.database) == 1

    async def objects(self, prefix: str = "") -> list[str]:
        return [blob.key async for blob in self.blobs.listing(prefix)]

    async def charged(self, job: Filmed) -> int:
        (row,) = await self.sql("SELECT bytes FROM storage WHERE workspace = %s", job.workspace)
        return int(row["bytes"])

    async def complaints(self) -> list[str]:
        """What the audit finds."""
        found = audit(self.database, self.blobs, None, TIMING, deep=True)
        return [f"{violation.invariant} {violation.what}" async for violation in found]
