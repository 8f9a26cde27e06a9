"""While bytes come, however slowly, their rows are touched: what is swept as abandoned was not touched for long."""

import time
from uuid import UUID

from retake.store.connect import Database
from retake.store.sources import touch_arrival


class Pulse:
    def __init__(self, database: Database, arrival: UUID, every: float) -> None:
        self._database, self._arrival, self._every = database, arrival, every
        self._next = time.monotonic() + every

    async def beat(self, *sources: UUID) -> None:
        """Something of these came."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            await touch_arrival(self._database, self._arrival, sources)
