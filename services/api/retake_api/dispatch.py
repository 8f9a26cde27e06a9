"""Beside the requests of one API replica: the relay, the reaper, and what is passed on to those who listen.

Requests go on being served while NATS is away.
"""

import asyncio
from contextlib import suppress

import structlog

from retake.bus.connection import Bus, open_bus
from retake.bus.errors import BusError, BusUnavailable
from retake.domain.timing import Timing
from retake.reaper import run_reaper
from retake.relay import Relay
from retake.settings import Nats
from retake.store.connect import Database
from retake_api.live import Live

log = structlog.stdlib.get_logger(__name__)


class Dispatch:
    def __init__(self, database: Database, nats: Nats, timing: Timing, holder: str, live: Live) -> None:
        self._database, self._nats, self._timing, self._holder = database, nats, timing, holder
        self._live = live
        self._bus: Bus | None = None
        self._relay: Relay | None = None

    async def wake(self) -> None:
        """There is something to announce: whichever replica has the duty is told, this one without the way round."""
        self._live.wake()
        if self._relay is not None:
            self._relay.wake()
        if self._bus is not None:
            with suppress(BusError):
                await self._bus.wake()

    async def check(self) -> None:
        """Returns when NATS answers; for probes."""
        if self._bus is None:
            raise BusUnavailable("there is no connection to NATS yet")
        await self._bus.check()

    async def messages(self) -> dict[str, int]:
        """What the stream holds."""
        if self._bus is None:
            raise BusUnavailable("there is no connection to NATS yet")
        return {"all": await self._bus.waiting(), "unacknowledged": await self._bus.unacknowledged()}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_reaper(self._database, self._timing, self._holder))
            tasks.create_task(self._keep_relaying())

    async def _keep_relaying(self) -> None:
        """A connection that is closed for good is replaced by another."""
        while True:
            try:
                async with open_bus(self._nats, self._timing, name=self._holder) as bus:
                    self._bus, self._relay = bus, Relay(self._database, bus, self._timing, self._holder)
                    await bus.watch_wakes(self._live.wake)
                    tasks = [asyncio.create_task(one) for one in (self._relay.run(), self._pass_on(bus), bus.closed())]
                    try:
                        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                        for task in ended:
                            task.result()
                    finally:
                        for task in tasks:
                            task.cancel()
                        await asyncio.gather(*tasks, return_exceptions=True)
            except BusError as error:
                log.warning("no connection to NATS", error=str(error))
            finally:
                self._bus = self._relay = None
            await asyncio.sleep(self._timing.announce_poll)

    async def _pass_on(self, bus: Bus) -> None:
        """Progress, to whoever listens here."""
        async with bus.watch_progress() as ticks:
            async for tick in ticks:
                self._live.tick(tick)
