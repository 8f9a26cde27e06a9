"""Jobs and uploads in every state, with their bytes: places that made-up requests can go to."""

from uuid import UUID

from api.uploaded import begun, put, uploaded
from api.wire import clip
from footage import Filmed, Footage
from retake.domain.errors import ENCODER
from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.domain.work import Claim
from retake.store import parts
from retake.store.jobs import NewJob, accept, wish
from retake.store.uploads import end_upload
from retake.store.workspaces import ensure_workspace

JOBS = ("queued", "processing", "paused", "cancelling", "completed", "failed", "cancelled", "expired")
UPLOADS = ("open", "half", "finished", "used", "gone")
HALF = 2000
"""Bytes of an upload that is half there."""
_TOLD = {"callbackUrl": "https://203.0.113.7/told"}


class Population:
    """All of it belongs to the workspace `default`."""

    def __init__(self, footage: Footage) -> None:
        self._footage, self._database, self._blobs = footage, footage.database, footage.blobs
        self._jobs: dict[str, dict[str, str]] = {}
        self._claims: list[Claim] = []

    async def place(self, state: str) -> dict[str, str]:
        """Path parameters that lead to a job or an upload in this state."""
        if state in UPLOADS:
            return {"upload_id": str(await self.upload(state))}
        if state not in self._jobs:
            job = await self._job(state)
            self._jobs[state] = {"job_id": str(job.id), "file_id": str(job.videos[0]), "index": "1"}
        return self._jobs[state]

    def left(self, state: str) -> None:
        """The job that was in this state may be in another now."""
        self._jobs.pop(state, None)

    async def rest(self) -> None:
        """The workers stop, and give back what they hold."""
        for claimed in self._claims:
            await self._footage.release(claimed)

    async def upload(self, state: str) -> UUID:
        if state in ("open", "half"):
            upload = await begun(self._database)
            if state == "half":
                await put(self._database, self._blobs, upload, clip()[:HALF])
            return upload
        upload = await uploaded(self._database, self._blobs)
        if state == "gone":
            await self._blobs.delete_many(await end_upload(self._database, upload))
        if state == "used":
            workspace = await ensure_workspace(self._database, "default")
            await accept(self._database, NewJob(workspace, [("a.mp4", upload)], 1, seed=1, uploads=[upload]))
        return upload

    async def _job(self, state: str) -> Filmed:
        if state in ("completed", "expired"):
            job = await self._footage.finished(owner="default", options=_TOLD)
        elif state in ("queued", "failed"):
            job = await self._footage.accepted(owner="default", options=_TOLD)
        else:
            job = await self._footage.planned(owner="default", options=_TOLD)
        if state in ("processing", "cancelling", "failed"):
            claims = await self._footage.claims(job)
            if state == "failed":
                await parts.fail_inspect(self._database, claims[0], ENCODER, Timing())
            else:
                self._claims += claims
        wished = {"paused": Wish.PAUSE, "cancelling": Wish.CANCEL, "cancelled": Wish.CANCEL, "expired": Wish.EXPIRE}
        if state in wished:
            await wish(self._database, job.id, wished[state], "age" if state == "expired" else None)
        return job
