"""POST /api/jobs: a form with videos becomes a job.

    declared length and type -> the form, part by part (form) -> sources in storage (arrival) -> accept, one transaction

Whatever ends a request without a job gives up what it brought. Only once COMMIT was sent nobody knows: then the
database is asked before anything is given up, and a job that is there is answered as one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from retake.domain.states import State
from retake.store.jobs import NewJob, StorageFull, accept
from retake.store.views import video_ids
from retake_api.arrival import FIELDS, Arrival
from retake_api.auth import Caller, Gate
from retake_api.described import refuses, takes
from retake_api.form import boundary_of, read_form
from retake_api.incoming import MIB, Dock
from retake_api.problems import Problem
from retake_api.schemas import AcceptedFile, AcceptedJob, JobForm

log = structlog.stdlib.get_logger(__name__)


def install(app: FastAPI, gate: Gate, dock: Dock, wake: Callable[[], Awaitable[None]]) -> None:
    """`wake` tells the relay that there is something to announce."""

    @app.post(
        "/api/jobs",
        summary="Submit videos",
        tags=["jobs"],
        status_code=202,
        response_model=AcceptedJob,
        response_description="Accepted: whatever happens from now on, the job comes to an end.",
        openapi_extra=takes({"multipart/form-data": JobForm}),
        responses=refuses(
            {
                400: "The form cannot be read, or has no videos.",
                411: "The request does not say how long it is.",
                413: "A video, the request, or the number of videos is too large.",
                415: "The request is no form, or a file is no video that can be read.",
                422: "A field or an option is not what it must be.",
                507: "Storage is full.",
            }
        ),
    )
    async def submit(request: Request, caller: Annotated[Caller, Depends(gate)]) -> Response:
        boundary = boundary_of(request.headers.get("Content-Type", ""))
        check_length(request.headers.get("Content-Length"), dock.limits.request_mib)
        arrival = Arrival(dock, caller.workspace)
        form = read_form(request.stream(), boundary, most_parts=dock.limits.files + len(FIELDS))
        try:
            new = await arrival.take(form)
        except BaseException:
            await arrival.drop()
            raise
        videos = await admit(dock, arrival, new)
        await wake()
        log.info("accepted", job=str(new.id), videos=len(videos))
        files = [
            AcceptedFile(id=video, name=came.name, size=came.size)
            for video, came in zip(videos, arrival.videos, strict=True)
        ]
        return accepted(new, files)


def check_length(declared: str | None, most_mib: int) -> None:
    if declared is None:
        raise Problem(411, "length_required", "Say how long the request is (Content-Length).")
    if int(declared) > most_mib * MIB:
        sentence = f"The request has {int(declared) / MIB:,.0f} MiB, and at most {most_mib:,} are taken at once."
        raise Problem(413, "request_too_large", sentence, limit=most_mib * MIB)


async def admit(dock: Dock, arrival: Arrival, new: NewJob) -> list[UUID]:
    """The ids of the job's videos; or what forbids it, and then nothing of it is left."""
    new = replace(new, retention=dock.storage.retention(new.kind))
    try:
        return await accept(dock.database, new, cap=dock.storage.cap)
    except BaseException as error:
        if await arrival.drop():
            if isinstance(error, StorageFull):
                raise full(error) from None
            raise
    log.warning("the answer to a commit was lost, and the job is there", job=str(new.id))
    return await video_ids(dock.database, new.id)


def full(error: StorageFull) -> Problem:
    sentence = f"Storage is full: this job needs {error.needed:,} bytes, and {error.free:,} are free."
    return Problem(
        507, "storage_full", sentence, needed=error.needed, free=error.free,
        suggestion="Ask for fewer variations, or try again when older jobs have expired.",
    )  # fmt: skip


def accepted(new: NewJob, files: list[AcceptedFile]) -> JSONResponse:
    address = f"/api/jobs/{new.id}"
    body = AcceptedJob(
        job_id=new.id,
        status=State.QUEUED,
        files=files,
        variations_per_video=new.variations,
        total_variations=new.variations * len(files),
        status_url=address,
    )
    return JSONResponse(body.model_dump(mode="json", by_alias=True), 202, {"Location": address})
