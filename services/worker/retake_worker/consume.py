"""A worker's life: tell that it lives, wait for a free slot, fetch, claim, acknowledge, work, give back when it stops.

The message is a hint. Whether the claim was had or refused, it is acknowledged at once; only when Postgres gave no
answer it is kept, and nothing more is fetched until Postgres answers. From the claim on, the lease holds the work.
"""

import asyncio
from functools import partial

import structlog

from retake import __version__
from retake.blobs.errors import BlobError, BlobMissing
from retake.bus.connection import Announcement
from retake.bus.messages import ProgressTick, VariationFrames
from retake.domain.errors import INTERNAL, SOURCE_LOST, BadInput, Failure
from retake.domain.work import RECIPE_VERSION, Claim, PartKind, Work
from retake.store import fleet, parts
from retake.store.connect import Unavailable
from retake.store.heartbeat import Beat
from retake.store.move import LeaseLost
from retake.store.work import work_of
from retake_worker.diagnosis import diagnosis
from retake_worker.ffmpeg_process import FFmpegError
from retake_worker.inspect import inspect
from retake_worker.lease import Frames, OutOfTouch, Unwanted, under_lease
from retake_worker.render_part import render_part
from retake_worker.tools import Tools

log = structlog.stdlib.get_logger(__name__)


class Consumer:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._free = asyncio.Semaphore(tools.slots)
        self._working: set[asyncio.Task[None]] = set()
        self._leaving = False

    async def run(self) -> None:
        """Until cancelled; then nothing new is fetched, and what runs is released."""
        live = asyncio.create_task(self._live())
        try:
            while True:
                await self._free.acquire()
                try:
                    claimed = await self._next()
                except BaseException:
                    self._free.release()
                    raise
                task = asyncio.create_task(self._work_on(claimed))
                self._working.add(task)
                task.add_done_callback(self._done)
        finally:
            self._leaving = True
            await self._tools.bus.stop_fetching()
            live.cancel()
            for task in self._working:
                task.cancel()
            await asyncio.gather(live, *self._working, return_exceptions=True)
            await self._leave()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part ended in an error of ours", exc_info=error)

    async def _live(self) -> None:
        tools = self._tools
        while True:
            try:
                await fleet.seen(
                    tools.database, tools.name, version=__version__, recipe_version=RECIPE_VERSION, slots=tools.slots
                )
            except Unavailable as error:
                log.warning("could not say that this worker lives", error=str(error))
            await asyncio.sleep(tools.timing.worker_alive / 3)

    async def _leave(self) -> None:
        try:
            await fleet.gone(self._tools.database, self._tools.name)
        except Unavailable as error:
            log.warning("could not say that this worker is gone", error=str(error))

    async def _next(self) -> Claim:
        """The next part that is ours."""
        tools = self._tools
        while True:
            announcement = await tools.bus.fetch()
            if announcement is None:
                continue
            tools.reach("fetched")
            claimed = await self._claim(announcement)
            if claimed is not None:
                await tools.bus.wake()
                return claimed

    async def _claim(self, announcement: Announcement) -> Claim | None:
        tools = self._tools
        part = int(announcement.message.part_id)
        while True:
            try:
                claimed = await parts.claim(tools.database, part, tools.name, RECIPE_VERSION, tools.timing)
            except Unavailable as error:
                log.warning("no answer to a claim; nothing is fetched until there is", part=part, error=str(error))
                await asyncio.sleep(tools.timing.announce_poll)
                continue
            tools.reach("claimed")
            await announcement.ack()
            tools.reach("acknowledged")
            return claimed

    async def _work_on(self, claimed: Claim) -> None:
        """One part, whatever happens to it."""
        tools = self._tools
        ids = {"part": claimed.part, "claim": claimed.number, "job": str(claimed.job), "video": str(claimed.video)}
        with structlog.contextvars.bound_contextvars(**ids):
            try:
                frames: Frames = {}
                await under_lease(
                    tools.database,
                    claimed,
                    tools.timing,
                    self._do(claimed, frames),
                    frames=frames,
                    tell=partial(self._tell, claimed),
                )
                log.info("part done", kind=claimed.kind)
            except LeaseLost:
                log.warning("lease lost; nothing of this claim is written any more")
            except (Unwanted, OutOfTouch, asyncio.CancelledError) as stopped:
                log.info("part given back", because=type(stopped).__name__)
                await self._release(claimed, blocked=False)
            except (Unavailable, BlobError, OSError) as error:
                log.warning("part given back for later", error=repr(error))
                await self._release(claimed, blocked=True)
            finally:
                await tools.bus.wake()

    async def _release(self, claimed: Claim, *, blocked: bool) -> None:
        """Tried for a lease while Postgres is away: an outage should spend nobody's attempts. Then it is reaped."""
        tools = self._tools
        deadline = asyncio.get_running_loop().time() + (0 if self._leaving else tools.timing.lease)
        while True:
            try:
                await parts.release(tools.database, claimed, tools.timing, blocked=blocked)
            except LeaseLost:
                log.warning("not released: the lease was lost")
            except Unavailable as error:
                log.warning("not released", error=str(error))
                if asyncio.get_running_loop().time() < deadline:
                    await asyncio.sleep(tools.timing.announce_poll)
                    continue
            return

    async def _do(self, claimed: Claim, frames: Frames) -> None:
        """Work that cannot succeed ends the part; what may go better another time is raised."""
        tools = self._tools
        work = await work_of(tools.database, claimed)
        try:
            if claimed.kind is PartKind.INSPECT:
                await self._inspect(claimed, work)
            else:
                await render_part(tools, claimed, work, frames)
        except BlobMissing as error:
            log.error("source lost", error=str(error))
            await self._give_up(claimed, work, SOURCE_LOST)
        except BadInput as error:
            log.info("bad input", why=str(error))
            await self._give_up(claimed, work, error.failure)
        except FFmpegError as error:
            failure = diagnosis(error)
            log.warning("ffmpeg ended badly", error=str(error), code=failure.code, said=error.tail)
            await self._give_up(claimed, work, failure)
        except (LeaseLost, Unavailable, BlobError, OSError):
            raise
        except Exception as error:
            log.error("an error of ours", exc_info=error)
            await self._give_up(claimed, work, INTERNAL)
        tools.reach("finished")

    async def _inspect(self, claimed: Claim, work: Work) -> None:
        tools = self._tools
        async with tools.scratch.folder(claimed) as folder:
            plan = await inspect(tools, claimed, work, folder)
            tools.reach("inspected")
            await parts.finish_inspect(tools.database, claimed, plan, RECIPE_VERSION, tools.timing)

    async def _tell(self, claimed: Claim, beat: Beat, frames: Frames) -> None:
        """A tick for whoever watches; the same figures stand in Postgres."""
        tick = ProgressTick(
            workspace_id=str(beat.workspace),
            job_id=str(claimed.job),
            video_id=str(claimed.video),
            part_id=str(claimed.part),
            claim=claimed.number,
            variations=[VariationFrames(index=index, done=done, due=beat.due) for index, done in frames.items()],
            percent=100 * beat.progress,
        )
        await self._tools.bus.publish_progress(tick)

    async def _give_up(self, claimed: Claim, work: Work, failure: Failure) -> None:
        tools = self._tools
        if claimed.kind is PartKind.INSPECT:
            await parts.fail_inspect(tools.database, claimed, failure, tools.timing)
            return
        for take in work.takes:
            await parts.fail_variation(tools.database, claimed, take.index, failure, tools.timing)
        await parts.finish_part(tools.database, claimed, tools.timing)
