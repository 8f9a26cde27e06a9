"""A form with videos becomes a job.

    declared length and type -> room for it -> the form, part by part (form) -> sources in storage (arrival) -> accept

Whatever ends a request without a job gives up what it brought. Only once COMMIT was sent nobody knows: then the
database is asked before anything is given up, and a job that is there is answered as one.
"""

from uuid import UUID

import structlog
from fastapi import Request

from retake.store.jobs import NewJob
from retake.store.room import reserve
from retake.store.views import video_ids
from retake_api.admission import accept_job, admitted
from retake_api.arrival import FIELDS, Arrival
from retake_api.form import boundary_of, read_form
from retake_api.incoming import MIB, Dock
from retake_api.problems import Problem
from retake_api.schemas import AcceptedFile

log = structlog.stdlib.get_logger(__name__)


async def from_form(request: Request, dock: Dock, workspace: UUID) -> tuple[NewJob, list[AcceptedFile]]:
    boundary = boundary_of(request.headers.get("Content-Type", ""))
    length = read_length(request.headers.get("Content-Length"), dock.limits.request_mib)
    arrival = Arrival(dock, workspace)
    try:
        await admitted(
            dock, lambda: reserve(dock.database, arrival.job, workspace, length, cap=dock.storage.cap, queue=dock.queue)
        )
        new = await arrival.take(read_form(request.stream(), boundary, most_parts=dock.limits.files + len(FIELDS)))
    except BaseException:
        await arrival.drop()
        raise
    videos = await become(dock, arrival, new)
    return new, [
        AcceptedFile(id=video, name=came.name, size=came.size)
        for video, came in zip(videos, arrival.videos, strict=True)
    ]


def read_length(declared: str | None, most_mib: int) -> int:
    if declared is None:
        raise Problem(411, "length_required", "Say how long the request is (Content-Length).")
    if int(declared) > most_mib * MIB:
        sentence = f"The request has {int(declared) / MIB:,.0f} MiB, and at most {most_mib:,} are taken at once."
        raise Problem(413, "request_too_large", sentence, limit=most_mib * MIB)
    return int(declared)


async def become(dock: Dock, arrival: Arrival, new: NewJob) -> list[UUID]:
    """The ids of the job's videos; or what forbids it, and then nothing of it is left."""
    try:
        return await accept_job(dock, new)
    except BaseException:
        if await arrival.drop():
            raise
    log.warning("the answer to a commit was lost, and the job is there", job=str(new.id))
    return await video_ids(dock.database, new.id)
