"""The reaper: takes parts back from workers that were lost (rule 8), every five seconds, in one process at a time."""

import asyncio

import structlog

from retake.domain.timing import Timing
from retake.store.connect import Database, Unavailable
from retake.store.fleet import leave_duty, take_duty
from retake.store.reaping import reap

log = structlog.stdlib.get_logger(__name__)

DUTY = "reap"


async def run_reaper(database: Database, timing: Timing, holder: str) -> None:
    """Until cancelled. Who does not hold the duty looks often: taken over late, it would look like an outage."""
    try:
        while True:
            held = False
            try:
                if held := await take_duty(database, DUTY, holder, timing.duty):
                    reaped = await reap(database, timing)
                    if reaped.parts:
                        log.warning("workers were lost", parts=reaped.parts)
            except Unavailable as error:
                log.warning("nothing can be reaped now", error=str(error))
            await asyncio.sleep(timing.reap_every if held else timing.announce_poll)
    finally:
        await leave_duty(database, DUTY, holder)


async def reap_once(database: Database, timing: Timing) -> int:
    """For the janitor: a pass that counts also when nobody reaped for long. It waits out the quiet lease first."""
    reaped = await reap(database, timing)
    deadline = asyncio.get_running_loop().time() + 2 * timing.lease
    while reaped.quiet and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(timing.reap_every)
        reaped = await reap(database, timing)
    return reaped.parts
