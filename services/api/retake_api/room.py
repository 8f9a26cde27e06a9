"""Room for what arrives: when something does not fit, ended jobs go for it, and it is tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from retake.room import make_room
from retake.store.jobs import StorageFull
from retake_api.incoming import Dock

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds after which whoever lost every race for the room is refused."""


async def finding_room(dock: Dock, attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt` returns; its StorageFull when no job can go, or none that would help."""
    cap, clock = dock.storage.cap, asyncio.get_running_loop().time
    deadline = clock() + PATIENCE
    while True:
        try:
            return await attempt()
        except StorageFull as full:
            if cap is None or clock() > deadline:
                raise
            if not await make_room(dock.database, dock.blobs, cap=cap, needed=full.needed):
                raise
