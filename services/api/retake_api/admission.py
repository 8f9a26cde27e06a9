"""The one place where what somebody brings is admitted, ended jobs making room for it, or refused for want of room."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from retake import tracing
from retake.api_keys import Scope
from retake.room import make_room
from retake.store.jobs import KeyOwner, NewJob, accept
from retake.store.room import QueueFull, StorageFull
from retake_api.auth import Caller
from retake_api.incoming import Dock
from retake_api.options import PRIORITIES, USUAL_PRIORITY
from retake_api.problems import Problem

T = TypeVar("T")

_PATIENCE = 30.0  # seconds, after which whoever lost every race for the room is refused


async def accept_job(
    dock: Dock, caller: Caller, new: NewJob, key: KeyOwner | None = None, uploaded: Sequence[str] = ()
) -> None:
    """Or a Problem. `uploaded` are the traces that brought the videos: the job goes on with the first one."""
    if new.priority > PRIORITIES[USUAL_PRIORITY]:
        caller.must(Scope.ADMIN)
    if "callbackUrl" in new.options and not dock.webhooks:
        sentence = "The option `callbackUrl` needs webhooks, which are not set up here (RETAKE_WEBHOOK_SECRET)."
        raise Problem(422, "no_webhooks", sentence)
    new = replace(new, retention=dock.storage.retention(new.kind))
    first = uploaded[0] if uploaded else None
    with tracing.span(
        "accept", parent=first, links=uploaded[1:], job=new.id, videos=len(new.videos), takes=new.variations
    ):
        await admitted(dock, lambda: accept(dock.database, new, cap=dock.storage.cap, queue=dock.queue, key=key))


async def admitted(dock: Dock, attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` gives, which asks the store for room; or Problem 507, or 429."""
    try:
        return await _finding_room(dock, attempt)
    except StorageFull as full:
        raise Problem(
            507,
            "storage_full",
            f"Storage is full: this needs {full.needed:,} bytes, and {full.free:,} are free.",
            needed=full.needed,
            free=full.free,
            suggestion="Ask for fewer variations, or delete jobs that are not needed any more.",
        ) from None
    except QueueFull as full:
        raise Problem(
            429,
            "queue_full",
            f"At most {full.most:,} {full.what} may wait or run at once; please come back when some have ended.",
            headers={"Retry-After": "60"},
            limit=full.most,
        ) from None


async def _finding_room(dock: Dock, attempt: Callable[[], Awaitable[T]]) -> T:
    """When it does not fit, ended jobs go for it; StorageFull when none can go, or none that would help."""
    cap, clock = dock.storage.cap, asyncio.get_running_loop().time
    deadline = clock() + _PATIENCE
    while True:
        try:
            return await attempt()
        except StorageFull as full:
            if cap is None or clock() > deadline:
                raise
            if not await make_room(dock.database, dock.blobs, cap=cap, needed=full.needed):
                raise
