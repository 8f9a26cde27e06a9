"""Jobs in every state, and what the API allows in each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from api.acting import TIMING, claim_next, inspect, rendered, submit
from retake.domain.errors import ENCODER
from retake.domain.states import Wish
from retake.domain.work import Claim
from retake.store import parts
from retake.store.connect import Database
from retake.store.jobs import wish


@dataclass
class Desk:
    client: httpx.AsyncClient
    database: Database

    async def queued(self) -> str:
        return str((await submit(self.client, "a.mp4", variations="2"))["jobId"])

    async def processing(self) -> str:
        job = await self.queued()
        await inspect(self.database, takes=2)
        await claim_next(self.database)
        return job

    async def paused(self) -> str:
        return await self._wished(await self.queued(), Wish.PAUSE)

    async def cancelling(self) -> str:
        return await self._wished(await self.processing(), Wish.CANCEL)

    async def completed(self) -> str:
        job = await self.queued()
        await inspect(self.database, takes=2)
        await self.render(await claim_next(self.database), 1, 2)
        return job

    async def render(self, claimed: Claim, *indices: int) -> None:
        for index in indices:
            await parts.finish_variation(self.database, claimed, rendered(claimed, index), TIMING)
        await parts.finish_part(self.database, claimed, TIMING)

    async def partly(self) -> str:
        """Completed, and one of its takes failed."""
        job = await self.queued()
        await inspect(self.database, takes=2)
        claimed = await claim_next(self.database)
        await parts.finish_variation(self.database, claimed, rendered(claimed, 1), TIMING)
        await parts.fail_variation(self.database, claimed, 2, ENCODER, TIMING)
        await parts.finish_part(self.database, claimed, TIMING)
        return job

    async def failed(self) -> str:
        job = await self.queued()
        await parts.fail_inspect(self.database, await claim_next(self.database), ENCODER, TIMING)
        return job

    async def cancelled(self) -> str:
        return await self._wished(await self.queued(), Wish.CANCEL)

    async def expired(self) -> str:
        return await self._wished(await self.completed(), Wish.EXPIRE, "age")

    async def _wished(self, job: str, wanted: Wish, because: str | None = None) -> str:
        await wish(self.database, UUID(job), wanted, because)
        return job

    async def control(self, job: str, action: Any) -> httpx.Response:
        return await self.client.post(f"/api/jobs/{job}/control", json={"action": action})

    async def show(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get(f"/api/jobs/{job}")).json()
        return found


ALLOWED: Mapping[str, list[str]] = {
    "queued": ["pause", "cancel", "delete"],
    "processing": ["pause", "cancel", "delete"],
    "paused": ["resume", "cancel", "delete"],
    "cancelling": ["delete"],
    "completed": ["delete"],
    "partly": ["retry", "delete"],
    "failed": ["retry", "delete"],
    "cancelled": ["retry", "delete"],
    "expired": [],
}
