"""A form with videos becomes a job.

    declared length and type -> room for it -> the form, part by part (form) -> sources in storage (arrival) -> accept

Whatever ends a request without a job gives up what it brought. Only once COMMIT was sent nobody knows: then the
database is asked before anything is given up, and a job that is there is answered as one.
"""

from collections.abc import Sequence

import structlog
from fastapi import Request

from retake import tracing
from retake.domain.states import State
from retake.store.jobs import KeyLost, NewJob
from retake.store.room import reserve
from retake_api.addresses import address
from retake_api.admission import accept_job, admitted
from retake_api.arrival import FIELDS, Arrival
from retake_api.form import boundary_of, read_form
from retake_api.incoming import MIB, Dock
from retake_api.once import Answer, Attempt, FormPrint
from retake_api.problems import Problem
from retake_api.submissions import AcceptedFile, AcceptedJob

log = structlog.stdlib.get_logger(__name__)


async def from_form(request: Request, dock: Dock, attempt: Attempt) -> Answer:
    boundary = boundary_of(request.headers.get("Content-Type", ""))
    length = read_length(request.headers.get("Content-Length"), dock.limits.request_mib)
    form = read_form(attempt.renewed(request.stream()), boundary, most_parts=dock.limits.files + len(FIELDS))
    printed = FormPrint()
    if attempt.known:
        async for _ in printed.noting(form):
            pass
        return await attempt.answered(printed.value())
    arrival = Arrival(dock, attempt.caller.workspace)
    try:
        await admitted(
            dock,
            lambda: reserve(
                dock.database, arrival.job, attempt.caller.workspace, length, cap=dock.storage.cap, queue=dock.queue
            ),
        )
        with tracing.span("upload", job=arrival.job, bytes=length):
            new = await arrival.take(printed.noting(form) if attempt.keyed else form)
    except BaseException:
        await arrival.drop()
        raise
    return await become(dock, arrival, new, attempt, printed.value())


def read_length(declared: str | None, most_mib: int) -> int:
    if declared is None:
        raise Problem(411, "length_required", "Say how long the request is (Content-Length).")
    if int(declared) > most_mib * MIB:
        sentence = f"The request has {int(declared) / MIB:,.0f} MiB, and at most {most_mib:,} are taken at once."
        raise Problem(413, "request_too_large", sentence, limit=most_mib * MIB)
    return int(declared)


async def become(dock: Dock, arrival: Arrival, new: NewJob, attempt: Attempt, fingerprint: str) -> Answer:
    """What is answered for the job; or what forbids it, and then nothing of it is left."""
    answer = accepted(new, [video.size for video in arrival.videos])
    try:
        await accept_job(dock, attempt.caller, new, attempt.under(fingerprint, answer))
    except BaseException as error:
        if await arrival.drop():
            if isinstance(error, KeyLost):
                return await attempt.answered(fingerprint)
            raise
        log.warning("the answer to a commit was lost, and the job is there", job=str(new.id))
    return answer


def accepted(new: NewJob, sizes: Sequence[int]) -> Answer:
    """`sizes` are those of its videos."""
    files = [
        AcceptedFile(id=video, name=name, size=size)
        for video, (name, _), size in zip(new.video_ids, new.videos, sizes, strict=True)
    ]
    body = AcceptedJob(
        job_id=new.id,
        status=State.QUEUED,
        files=files,
        variations_per_video=new.variations,
        total_variations=new.variations * len(files),
        status_url=address(f"/api/jobs/{new.id}"),
    )
    return body.model_dump(mode="json", by_alias=True)
