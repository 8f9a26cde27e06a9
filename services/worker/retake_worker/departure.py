"""Leaving: who is told to leave takes nothing new, and may finish what it has in hand if that fits its grace.

What a part will still take is foretold by how fast it moved since the worker was told. One that does not fit is given
back at once, so that another worker begins with it; one that does not move, because it is being inspected, fetched or
stored, has until the grace is over.
"""

import asyncio
from collections.abc import Callable

Share = Callable[[], float]
"""How much of the work is done, from 0 to 1."""


class Departure:
    def __init__(self, grace: float, look: float = 0.5) -> None:
        self._grace, self._look = grace, look
        self._told = asyncio.Event()
        self._until = 0.0

    @property
    def told(self) -> bool:
        return self._told.is_set()

    def begin(self) -> None:
        if not self.told:
            self._until = asyncio.get_running_loop().time() + self._grace
            self._told.set()

    async def wait(self) -> None:
        """Until this worker is told to leave."""
        await self._told.wait()

    async def out_of_time(self, share: Share) -> None:
        """Returns when work that is so far must be given back."""
        await self._told.wait()
        loop = asyncio.get_running_loop()
        began, before = loop.time(), share()
        while (left := self._until - loop.time()) > 0:
            if (takes := seconds_left(before, share(), loop.time() - began)) is not None and takes > left:
                return
            await asyncio.sleep(min(self._look, left))


def seconds_left(before: float, now: float, passed: float) -> float | None:
    """How long the rest takes at the pace since then; None when nothing moved."""
    return (1 - now) * passed / (now - before) if now > before else None
