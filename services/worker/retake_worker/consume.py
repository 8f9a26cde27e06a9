"""A worker's life: tell that it lives, wait for a free slot, fetch, claim, acknowledge, work, give back when it stops.

The message is a hint. Whether the claim was had or refused, it is acknowledged at once; only when Postgres gave no
answer it is kept, and nothing more is fetched until Postgres answers. From the claim on, the lease holds the work.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from retake import __version__, metrics, tracing
from retake.blobs.errors import BlobError, BlobMissing
from retake.bus.connection import Announcement
from retake.bus.messages import ProgressTick, VariationFrames
from retake.domain.errors import INTERNAL, SOURCE_LOST, BadInput, Failure
from retake.domain.work import RECIPE_VERSION, Claim, PartKind
from retake.metrics import GUESS_ERROR
from retake.store import fleet, parts, schema
from retake.store.connect import Unavailable
from retake.store.heartbeat import Beat
from retake.store.move import LeaseLost
from retake.store.pace import learn
from retake.store.schema import SchemaMisfit
from retake.store.work import work_of
from retake_worker.departure import Departure
from retake_worker.diagnosis import diagnosis
from retake_worker.ffmpeg_process import FFmpegError
from retake_worker.inspect import inspect
from retake_worker.lease import Finish, Frames, Stopped, under_lease
from retake_worker.render_part import render_part
from retake_worker.tools import Tools

log = structlog.stdlib.get_logger(__name__)


class Consumer:
    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._free = asyncio.Semaphore(tools.slots)
        self._working: set[asyncio.Task[None]] = set()
        self._departure = Departure(tools.grace)
        self._fits = True  # the schema of the database

    async def run(self) -> None:
        """Until `leave`; then nothing new is fetched, and what runs is finished in time or given back."""
        live = asyncio.create_task(self._live())
        try:
            while not self._departure.told:
                await self._free.acquire()
                if (claimed := await self._next()) is None:
                    self._free.release()
                    continue
                task = asyncio.create_task(self._work_on(claimed))
                self._working.add(task)
                metrics.SLOTS_BUSY.set(len(self._working))
                task.add_done_callback(self._done)
        finally:
            await self.leave()
            live.cancel()
            await asyncio.gather(live, return_exceptions=True)
            await self._say_goodbye()  # before the last parts are done: nothing is to be announced for these slots
            await asyncio.gather(*self._working, return_exceptions=True)

    async def leave(self) -> None:
        """Nobody is cancelled for it: a claim that is being made is had, and then treated like the others."""
        self._departure.begin()
        self._free.release()  # for the one that waits for a slot
        await self._tools.bus.stop_fetching()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        metrics.SLOTS_BUSY.set(len(self._working))
        self._free.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a part ended in an error of ours", exc_info=error)

    async def _live(self) -> None:
        """The relay counts only slots that are known to live, so it looks again when there are some."""
        tools = self._tools
        while True:
            tools.scratch.tidy()
            try:
                if await self._look_at_schema():
                    await fleet.seen(
                        tools.database,
                        tools.name,
                        version=__version__,
                        recipe_version=RECIPE_VERSION,
                        slots=tools.slots,
                        sandbox=tools.layers,
                        engine=tools.engine.fingerprint,
                    )
                    await tools.bus.wake()
            except Unavailable as error:
                log.warning("could not say that this worker lives", error=str(error))
            await asyncio.sleep(tools.timing.worker_alive / 3)

    async def _look_at_schema(self) -> bool:
        """A database that went on without this release is left alone, until one of the two changes."""
        try:
            await schema.check(self._tools.database)
        except SchemaMisfit as error:
            if self._fits:
                log.error("nothing is fetched any more", because=str(error))
            self._fits = False
        else:
            self._fits = True
        return self._fits

    async def _say_goodbye(self) -> None:
        try:
            await fleet.gone(self._tools.database, self._tools.name)
        except Unavailable as error:
            log.warning("could not say that this worker is gone", error=str(error))

    async def _next(self) -> Claim | None:
        """The next part that is ours; None when it is time to leave."""
        tools = self._tools
        while not self._departure.told:
            if not self._fits:
                await self._rest()
                continue
            announcement = await tools.bus.fetch()
            if announcement is None:
                continue
            tools.reach("fetched")
            claimed = await self._claim(announcement)
            if claimed is not None:
                await tools.bus.wake()
                return claimed
        return None

    async def _claim(self, announcement: Announcement) -> Claim | None:
        tools, message = self._tools, announcement.message
        part = int(message.part_id)
        while True:
            try:
                with tracing.span(
                    "claim", parent=message.traceparent or None, kind="consumer", job=message.job_id, part=part
                ) as span:
                    claimed = await parts.claim(tools.database, part, tools.name, RECIPE_VERSION, tools.timing)
                    if claimed is None:
                        log.info("claim refused", job=message.job_id, part=part)
                    span.tell(outcome="refused" if claimed is None else "claimed", claim=claimed and claimed.number)
            except Unavailable as error:
                log.warning(
                    "no answer to a claim; nothing is fetched until there is",
                    job=message.job_id, part=part, error=str(error),
                )  # fmt: skip
                if self._departure.told:
                    return None
                await self._rest()
                continue
            tools.reach("claimed")
            await announcement.ack()
            tools.reach("acknowledged")
            return claimed and replace(claimed, traceparent=message.traceparent or claimed.traceparent)

    async def _rest(self) -> None:
        """Before something is tried again."""
        try:
            async with asyncio.timeout(self._tools.timing.announce_poll):
                await self._departure.wait()
        except TimeoutError:
            return

    async def _work_on(self, claimed: Claim) -> None:
        """One part, whatever happens to it."""
        tools = self._tools
        ids: dict[str, Any] = {
            "job": str(claimed.job), "video": str(claimed.video), "part": claimed.part, "claim": claimed.number
        }  # fmt: skip
        span = tracing.span(claimed.kind, parent=claimed.traceparent, **ids, worker=tools.name)
        with structlog.contextvars.bound_contextvars(**ids), span as told:
            began, outcome = time.monotonic(), "broken"
            try:
                outcome = await self._attempt(claimed)
                tools.reach("finished")
                seconds = time.monotonic() - began
                await self._learn(claimed, seconds)
                log.info("part done", kind=claimed.kind, seconds=round(seconds, 3))
            except LeaseLost:
                outcome = "lease_lost"
                log.warning("lease lost; nothing of this claim is written any more")
            except Stopped as stopped:
                outcome = stopped.word
                log.info("part given back", because=outcome)
                await self._release(claimed, blocked=False)
            except (Unavailable, BlobError, OSError) as error:
                outcome = "blocked"
                tools.scratch.tidy(error)
                log.warning("part given back for later", error=repr(error))
                await self._release(claimed, blocked=True)
            finally:
                metrics.PARTS.labels(claimed.kind, outcome).inc()
                metrics.PART_SECONDS.labels(claimed.kind).observe(time.monotonic() - began)
                told.tell(outcome=outcome)
                await tools.bus.wake()

    async def _attempt(self, claimed: Claim) -> str:
        """Work that cannot succeed ends the part, as failed; what may go better another time is raised."""
        tools, frames = self._tools, Frames()
        try:
            finish = await under_lease(
                tools.database,
                claimed,
                tools.timing,
                self._do(claimed, frames),
                frames=frames,
                tell=partial(self._tell, claimed),
                departure=self._departure,
            )
            with tracing.span("commit"):
                await finish()
        except BlobMissing as error:
            log.error("source lost", error=str(error))
            await self._give_up(claimed, SOURCE_LOST)
        except BadInput as error:
            log.info("bad input", code=error.failure.code, why=str(error))
            await self._give_up(claimed, error.failure)
        except FFmpegError as error:
            failure = diagnosis(error)
            log.warning("ffmpeg ended badly", error=str(error), code=failure.code, tail=error.tail)
            await self._give_up(claimed, failure)
        except (LeaseLost, Stopped, Unavailable, BlobError, OSError):
            raise
        except Exception as error:
            log.error("an error of ours", exc_info=error)
            await self._give_up(claimed, INTERNAL)
        else:
            return "done"
        return "failed"

    async def _learn(self, claimed: Claim, seconds: float) -> None:
        """What this part took is what the next ones are told to take."""
        try:
            guess = await learn(self._tools.database, self._tools.name, claimed, seconds)
        except Unavailable as error:
            log.info("nothing was learnt of a part", error=str(error))
            return
        if guess is not None:
            GUESS_ERROR.labels(claimed.kind).observe(abs(guess - seconds) / seconds)

    async def _release(self, claimed: Claim, *, blocked: bool) -> None:
        """Tried for a lease while Postgres is away: an outage should spend nobody's attempts. Then it is reaped."""
        tools = self._tools
        deadline = asyncio.get_running_loop().time() + tools.timing.lease
        while True:
            try:
                await parts.release(tools.database, claimed, tools.timing, blocked=blocked)
            except LeaseLost:
                log.warning("not released: the lease was lost")
            except Unavailable as error:
                log.warning("not released", error=str(error))
                if asyncio.get_running_loop().time() < deadline and not self._departure.told:
                    await self._rest()
                    continue
            return

    async def _do(self, claimed: Claim, frames: Frames) -> Finish:
        """All but the last commit, which is made when nothing beats any more."""
        tools = self._tools
        work = await work_of(tools.database, claimed)
        async with tools.scratch.folder(claimed) as folder:
            if claimed.kind is PartKind.RENDER:
                await render_part(tools, claimed, work, folder, frames)
                return partial(parts.finish_part, tools.database, claimed, tools.timing)
            plan = await inspect(tools, claimed, work, folder)
        log.info("video planned", takes=len(plan.variations), seconds=plan.probe.get("duration"))
        tools.reach("inspected")
        return partial(parts.finish_inspect, tools.database, claimed, plan, RECIPE_VERSION, tools.timing)

    async def _tell(self, claimed: Claim, beat: Beat, frames: Mapping[int, int]) -> None:
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

    async def _give_up(self, claimed: Claim, failure: Failure) -> None:
        tools = self._tools
        with tracing.span("commit", outcome=failure.code):
            if claimed.kind is PartKind.INSPECT:
                await parts.fail_inspect(tools.database, claimed, failure, tools.timing)
                return
            for take in (await work_of(tools.database, claimed)).takes:
                await parts.fail_variation(tools.database, claimed, take.index, failure, tools.timing)
            await parts.finish_part(tools.database, claimed, tools.timing)
