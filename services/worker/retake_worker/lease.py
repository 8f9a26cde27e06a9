"""Work under a lease (rule 5): heartbeats go on beside it, and it is stopped the moment it should not go on.

Reasons to stop: the part is not ours any more, the person cancelled, the worker leaves, or Postgres did not answer for
a whole lease, after which somebody else may hold the part. The work's own end, or its error, ends the heartbeats.

The commit that ends the part is the work's result and is made when nothing beats any more: a heartbeat that comes right
after it would find the part done, and call it lost.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Never

import structlog

from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.domain.work import Claim
from retake.store.connect import Database, Unavailable
from retake.store.heartbeat import Beat, heartbeat
from retake_worker.departure import Departure

log = structlog.stdlib.get_logger(__name__)


class Frames(dict[int, int]):
    """Frames done, by variation; the work writes it, the heartbeat tells it. `due` is what they come to, once known."""

    due: int = 0

    def share(self) -> float:
        return min(1.0, sum(self.values()) / self.due) if self.due else 0.0


Tell = Callable[[Beat, Mapping[int, int]], Awaitable[None]]
"""Tells whoever listens how far the work is, after each heartbeat."""
Finish = Callable[[], Awaitable[None]]
"""The commit that ends a part."""


class Stopped(Exception):
    """The work was stopped, and nobody is to blame: its part goes back."""

    word = "stopped"


class Unwanted(Stopped):
    """The person cancelled, or deleted, the job."""

    word = "unwanted"


class OutOfTouch(Stopped):
    """Postgres did not answer for a whole lease: perhaps somebody else holds the part by now."""

    word = "out_of_touch"


class Leaving(Stopped):
    """This worker was told to stop, and the work does not fit its grace."""

    word = "leaving"


async def under_lease(
    database: Database,
    claimed: Claim,
    timing: Timing,
    work: Coroutine[Any, Any, Finish],
    *,
    frames: Frames,
    tell: Tell,
    departure: Departure,
) -> Finish:
    """Returns what the work returns. Raises its error or, when it was stopped, LeaseLost or another reason to stop."""
    working = asyncio.create_task(work)
    beating = asyncio.create_task(_beat(database, claimed, timing, frames, tell))
    reasons = {beating, asyncio.create_task(_leave(departure, frames))}
    try:
        await asyncio.wait({working, *reasons}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, *reasons):
            task.cancel()
        await asyncio.gather(working, *reasons, return_exceptions=True)
    for reason in reasons:
        if not reason.cancelled() and (working.cancelled() or working.exception()):  # perhaps an error of being stopped
            reason.result()
    return working.result()


async def _leave(departure: Departure, frames: Frames) -> Never:
    await departure.out_of_time(frames.share)
    raise Leaving


async def _beat(database: Database, claimed: Claim, timing: Timing, frames: Frames, tell: Tell) -> Never:
    """Often while frames move, seldom while not; never returns, only raises."""
    loop = asyncio.get_running_loop()
    told: dict[int, int] = {}
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
            log.warning("no heartbeat", error=str(error))
            continue
        last = loop.time()
        if beat.wish in {Wish.CANCEL, Wish.EXPIRE}:
            raise Unwanted
        await tell(beat, told)
