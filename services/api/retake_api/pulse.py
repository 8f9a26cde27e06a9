"""While bytes come, however slowly, their rows are touched: what is swept as abandoned was not touched for long."""

import time
from uuid import UUID

from retake.store.connect import Database
from retake.store.sources import touch_arrival

EVERY = 60.0


class Pulse:
    def __init__(self, database: Database, arrival: UUID) -> None:
        self._database, self._arrival = database, arrival
        self._next = time.monotonic() + EVERY

    async def beat(self, *sources: UUID) -> None:
        """Something of these came."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY
            await touch_arrival(self._database, self._arrival, sources)
