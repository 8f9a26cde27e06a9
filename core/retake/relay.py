"""The relay: tells NATS which parts to look at (rules 2 and 3), and looks again for what was told in vain.

A pass is: hold the duty, withdraw what nobody claimed in time, fill the window in fair order. Each part is published
without any lock, and marked only once NATS confirmed it: a crash in between publishes the same message id twice, which
the broker swallows, or at worst costs a refused claim.
"""

import asyncio
from typing import Any

import structlog

from retake import metrics, tracing
from retake.bus.connection import Bus
from retake.bus.errors import BusError
from retake.bus.messages import PartAnnounced
from retake.domain.timing import Timing
from retake.store.announcements import BATCH, Announceable, mark_announced, next_to_announce, withdraw_unheard
from retake.store.connect import Database, Unavailable
from retake.store.fleet import give_up_duty, leave_duty, take_duty

log = structlog.stdlib.get_logger(__name__)

DUTY = "relay"


class Relay:
    def __init__(self, database: Database, bus: Bus, timing: Timing, holder: str) -> None:
        self._database, self._bus, self._timing, self._holder = database, bus, timing, holder
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled: a pass whenever woken, and once a second; at once again while there is more than a batch."""
        await self._bus.watch_wakes(self.wake)
        try:
            while True:
                self._woken.clear()
                announced = await self._pass()
                if announced < BATCH:
                    await self._pause()
        finally:
            await self.leave()

    async def leave(self) -> None:
        """Another relay may go on at once."""
        await leave_duty(self._database, DUTY, self._holder)

    async def run_once(self) -> int:
        """One pass; returns how many parts were announced. A publish that fails gives the duty up at once."""
        if not await take_duty(self._database, DUTY, self._holder, self._timing.duty):
            return 0
        withdrawn = await withdraw_unheard(self._database, self._timing)
        if withdrawn:
            metrics.REANNOUNCED.inc(withdrawn)
            log.info("announced in vain", parts=withdrawn)
        parts = await next_to_announce(self._database, self._timing)
        told = await asyncio.gather(*(self._announce(part) for part in parts), return_exceptions=True)
        failed = [outcome for outcome in told if outcome is not None]
        if any(isinstance(error, BusError) for error in failed):
            await give_up_duty(self._database, DUTY, self._holder)
        if failed:
            raise failed[0]
        return len(parts)

    async def _announce(self, part: Announceable) -> None:
        ids: dict[str, Any] = {"job": str(part.job), "video": str(part.video), "part": part.part}
        with tracing.span("announce", parent=part.traceparent, kind="producer", **ids, generation=part.generation):
            message = PartAnnounced(
                part_id=str(part.part),
                generation=part.generation,
                kind=part.kind,
                job_id=str(part.job),
                video_id=str(part.video),
                traceparent=tracing.traceparent(),
            )
            await self._bus.publish_part(message)
            metrics.ANNOUNCED.inc()
            log.info("part announced", **ids, kind=part.kind, generation=part.generation)
            await mark_announced(self._database, part.part, part.generation)

    async def _pass(self) -> int:
        try:
            return await self.run_once()
        except (Unavailable, BusError) as error:
            log.warning("nothing can be announced now", error=str(error))
            return 0

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._timing.announce_poll):
                await self._woken.wait()
        except TimeoutError:
            return
