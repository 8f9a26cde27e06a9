"""Work under a lease (rule 5): heartbeats go on beside it, and it is stopped the moment it should not go on.

Reasons to stop: the part is not ours any more, the person cancelled, or Postgres did not answer for a whole lease,
after which somebody else may hold the part. The work's own end, or its error, ends the heartbeats.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.domain.work import Claim
from retake.store.connect import Database, Unavailable
from retake.store.heartbeat import Beat, heartbeat

log = structlog.stdlib.get_logger(__name__)

Frames = dict[int, int]
"""Frames done, by variation; the work writes it, the heartbeat tells it."""

Tell = Callable[[Beat, Frames], Awaitable[None]]
"""Tells whoever listens how far the work is, after each heartbeat."""


class Unwanted(Exception):
    """The person cancelled, or deleted, the job."""


class OutOfTouch(Exception):
    """Postgres did not answer for a whole lease: perhaps somebody else holds the part by now."""


async def under_lease(
    database: Database, claimed: Claim, timing: Timing, work: Coroutine[Any, Any, None], *, frames: Frames, tell: Tell
) -> None:
    """Returns when the work is done. Raises its error, or, after it was stopped, LeaseLost, Unwanted or OutOfTouch."""
    working = asyncio.create_task(work)
    beating = asyncio.create_task(_beat(database, claimed, timing, frames, tell))
    try:
        await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, beating):
            task.cancel()
        await asyncio.gather(working, beating, return_exceptions=True)
    if not working.cancelled():
        return working.result()
    return beating.result()


async def _beat(database: Database, claimed: Claim, timing: Timing, frames: Frames, tell: Tell) -> None:
    """Often while frames move, seldom while not; never returns, only raises."""
    loop = asyncio.get_running_loop()
    told: Frames = {}
    last = loop.time()
    while True:
        await asyncio.sleep(timing.progress)
        if frames == told and loop.time() - last < timing.heartbeat:
            continue
        told = dict(frames)
        try:
            async with asyncio.timeout_at(last + timing.lease):
                beat = await heartbeat(database, claimed, told, timing)
        except (Unavailable, TimeoutError) as error:
            if loop.time() - last >= timing.lease:
                raise OutOfTouch from error
            log.warning("no heartbeat", part=claimed.part, error=str(error))
            continue
        last = loop.time()
        if beat.wish in {Wish.CANCEL, Wish.EXPIRE}:
            raise Unwanted
        await tell(beat, told)
