"""A person of a round: submits a job, perhaps changes their mind, and insists until they have an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from psycopg.errors import UniqueViolation

from faults.jobs import new_job
from faults.plans import JobPlan
from faults.rig import Rig
from retake.domain.states import ENDED, Wish
from retake.store.connect import Unavailable
from retake.store.jobs import NewJob, WishRefused, accept, wish
from retake.store.retrying import NothingToRetry, retry

T = TypeVar("T")

ENDED_STATES = sorted(ENDED)


async def insist(call: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(0.02)


async def prepare(rig: Rig, plan: JobPlan, seed: int) -> NewJob:
    """Uploads."""
    workspace = rig.workspaces[plan.workspace]
    return await new_job(rig.database, rig.blobs, workspace, plan.videos, plan.takes, seed=seed)


async def act(rig: Rig, plan: JobPlan, new: NewJob) -> None:
    await asyncio.sleep(plan.after)
    await submit(rig, new)
    if plan.wish == "none":
        return
    await asyncio.sleep(plan.wish_after)
    if plan.wish == "pause":
        await _want(rig, new, Wish.PAUSE)
        await asyncio.sleep(plan.wish_after)
        await _want(rig, new, Wish.RUN)
        return
    await _want(rig, new, Wish.CANCEL)
    if plan.wish == "retry":
        await ended(rig, [new])
        with suppress(NothingToRetry):
            await insist(lambda: retry(rig.database, new.id))
        await rig.bus.wake()


async def ended(rig: Rig, jobs: list[NewJob]) -> None:
    ids = [new.id for new in jobs]
    while await rig.eyes.see(
        "SELECT id FROM job WHERE id = ANY(%s) AND NOT state = ANY(%s) LIMIT 1", ids, ENDED_STATES
    ):
        await asyncio.sleep(0.02)


async def submit(rig: Rig, new: NewJob) -> None:
    """Without an answer, the row is read again, as the API does: the first try may have got through, even late."""
    while True:
        try:
            await accept(rig.database, new)
            break
        except UniqueViolation:
            break
        except Unavailable:
            await asyncio.sleep(0.02)
    await rig.bus.wake()


async def _want(rig: Rig, new: NewJob, wanted: Wish) -> None:
    with suppress(WishRefused):
        await insist(lambda: wish(rig.database, new.id, wanted))
    await rig.bus.wake()
