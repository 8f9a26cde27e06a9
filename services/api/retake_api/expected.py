"""When a job will be done and where it waits, as its view tells; worked out for all jobs at once, now and then."""

import asyncio
import time
from collections.abc import Mapping
from uuid import UUID

from retake.domain.forecast import Outlook, forecast
from retake.domain.states import State
from retake.domain.timing import Timing
from retake.store.connect import Database
from retake.store.outstanding import outstanding
from retake.store.views import Row

_FRESH = 2.0
_SHARE = 20  # no more than one twentieth of the time goes into it, however much work there is


class Expected:
    def __init__(self, database: Database, timing: Timing) -> None:
        self._database, self._timing = database, timing
        self._told: Mapping[UUID, Outlook] = {}
        self._until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def of(self, row: Row) -> Outlook:
        """There is nothing to tell of a job that has ended, is paused, or comes after too many others."""
        if row["state"] not in {State.QUEUED, State.PROCESSING}:
            return Outlook()
        async with self._one_at_a_time:
            if time.monotonic() >= self._until:
                await self._look()
        return self._told.get(row["id"], Outlook())

    async def _look(self) -> None:
        work, slots = await outstanding(self._database, self._timing)
        began = time.monotonic()
        self._told = await asyncio.to_thread(forecast, work, slots)
        self._until = time.monotonic() + max(_FRESH, _SHARE * (time.monotonic() - began))
