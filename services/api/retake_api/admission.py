"""The one place where what somebody brings is admitted, or refused for want of room."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from retake.store.jobs import NewJob, accept
from retake.store.room import QueueFull, StorageFull
from retake_api.incoming import Dock
from retake_api.problems import Problem

T = TypeVar("T")


async def accept_job(dock: Dock, new: NewJob) -> list[UUID]:
    """The ids of its videos; or a Problem."""
    new = replace(new, retention=dock.storage.retention(new.kind))
    return await admitted(lambda: accept(dock.database, new, cap=dock.storage.cap, queue=dock.queue))


async def admitted(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` gives, which asks the store for room; or Problem 507, or 429."""
    try:
        return await attempt()
    except StorageFull as full:
        raise Problem(
            507,
            "storage_full",
            f"Storage is full: this needs {full.needed:,} bytes, and {full.free:,} are free.",
            needed=full.needed,
            free=full.free,
            suggestion="Ask for fewer variations, or try again when older jobs have expired.",
        ) from None
    except QueueFull as full:
        raise Problem(
            429,
            "queue_full",
            f"At most {full.most:,} {full.what} may wait or run at once; please come back when some have ended.",
            headers={"Retry-After": "60"},
            limit=full.most,
        ) from None
