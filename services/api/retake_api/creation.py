"""POST /api/jobs: videos become a job. They come with the request, as a form, or came before and are named in JSON."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from secrets import randbelow
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from retake.domain.recipe import LARGEST_SEED
from retake.store.jobs import KeyLost, NewJob
from retake.store.sources import KeptFile
from retake.store.uploads import UploadGone, UploadOpen, UploadRefused, UploadUnknown, UploadUsed, find_uploads
from retake_api.admission import accept_job
from retake_api.auth import Caller, Gate
from retake_api.bodies import json_object
from retake_api.described import refuses, takes
from retake_api.form import FORM, media_type
from retake_api.incoming import Dock
from retake_api.more_takes import earlier_files
from retake_api.once import KEY_ASKED, Answer, Attempt, fingerprint
from retake_api.options import options_of, variations_of
from retake_api.problems import Problem
from retake_api.submissions import AcceptedJob, JobForm, JobOfEarlier
from retake_api.uploads import accepted, from_form

log = structlog.stdlib.get_logger(__name__)

JSON = "application/json"
MOST_UPLOADS = 200
_KEYS = ("uploads", "fromFiles", "variations", "options")


def install(app: FastAPI, gate: Gate, dock: Dock, wake: Callable[[], Awaitable[None]]) -> None:
    """`wake` tells the relay that there is something to announce."""

    @app.post(
        "/api/jobs",
        summary="Submit videos",
        tags=["jobs"],
        status_code=202,
        response_model=AcceptedJob,
        response_description="Accepted: whatever happens from now on, the job comes to an end.",
        openapi_extra=takes({FORM: JobForm, JSON: JobOfEarlier}) | KEY_ASKED,
        responses=refuses(
            {
                400: "The form, or the JSON, cannot be read, or the form has no videos.",
                404: "There is no such file of an earlier job.",
                409: "An upload is used by a job already, which is named, or is not finished; a video's bytes are not "
                "kept any more; or a request with the same Idempotency-Key is in flight.",
                410: "An upload has expired.",
                411: "The request does not say how long it is.",
                413: "A video, the request, or the number of videos is too large.",
                415: "The request is neither a form nor JSON, or a file is no video that can be read.",
                422: "A field or an option is not what it must be, or there is no such upload; or the Idempotency-Key "
                "was used for another request.",
                507: "Storage is full.",
            }
        ),
    )
    async def submit(request: Request, caller: Annotated[Caller, Depends(gate)]) -> Response:
        kind = media_type(request.headers.get("Content-Type", ""))
        if kind not in {FORM, JSON}:
            raise Problem(
                415,
                "unknown_content_type",
                f"Send the videos as a form (Content-Type: {FORM}), or name those that came before in {JSON}.",
                allowed=[FORM, JSON],
            )
        async with Attempt(dock, caller, request.headers) as attempt:
            answer = await (from_form if kind == FORM else from_json)(request, dock, attempt)
        structlog.contextvars.bind_contextvars(job=answer["jobId"])
        if attempt.known is None:
            await wake()
            log.info("accepted", videos=len(answer["files"]), takes=answer["totalVariations"])
        return JSONResponse(answer, 202, {"Location": answer["statusUrl"]})


@dataclass(frozen=True)
class Brought:
    """Videos that came before, in the order they were named."""

    videos: list[tuple[str, UUID]]  # name, source
    sizes: list[int]
    uploads: Collection[UUID] = ()
    traces: Sequence[str] = ()


async def from_json(request: Request, dock: Dock, attempt: Attempt) -> Answer:
    """Without a key, whoever missed our answer about uploads asks again: a 409 names the job."""
    body = await json_object(request)
    check_keys(body)
    if attempt.known:
        return await attempt.answered(fingerprint(body))
    options = options_of(body.get("options", {}))
    variations = options.variations(variations_of(body.get("variations")))
    if body.get("fromFiles") is not None:
        brought = of_files(await earlier_files(body["fromFiles"], dock, attempt.caller.workspace))
    else:
        brought = await of_uploads(read_uploads(body.get("uploads")), dock, attempt.caller.workspace)
    new = NewJob(
        workspace=attempt.caller.workspace,
        videos=brought.videos,
        variations=variations,
        seed=randbelow(LARGEST_SEED + 1) if options.seed is None else options.seed,
        options=options.stored(),
        priority=options.weight,
        uploads=brought.uploads,
    )
    answer = accepted(new, brought.sizes)
    try:
        await accept_job(dock, attempt.caller, new, attempt.under(fingerprint(body), answer), brought.traces)
    except UploadRefused as error:
        raise refused(error) from None
    except KeyLost:
        return await attempt.answered(fingerprint(body))
    return answer


def check_keys(body: dict[str, Any]) -> None:
    if unknown := sorted(set(body) - set(_KEYS)):
        sentence = f"There is no key {unknown[0][:100]!r} here; there are {', '.join(_KEYS)}."
        raise Problem(422, "unknown_key", sentence, allowed=list(_KEYS))
    if body.get("uploads") is not None and body.get("fromFiles") is not None:
        sentence = "Name uploads or files of earlier jobs, `uploads` or `fromFiles`, and not both in one request."
        raise Problem(422, "uploads_and_files", sentence)


async def of_uploads(ids: list[UUID], dock: Dock, workspace: UUID) -> Brought:
    """An unknown one is left to accept, which refuses it."""
    found = await find_uploads(dock.database, workspace, ids)
    return Brought(
        [(found[upload].name if upload in found else "", upload) for upload in ids],
        [found[upload].length if upload in found else 0 for upload in ids],
        uploads=ids,
        traces=[trace for one in ids if one in found and (trace := found[one].traceparent) is not None],
    )


def of_files(files: list[KeptFile]) -> Brought:
    return Brought([(file.name, file.source) for file in files], [file.size for file in files])


def read_uploads(given: Any) -> list[UUID]:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_UPLOADS:
        raise Problem(
            422, "invalid_uploads", f"`uploads` must be a list of the ids of 1 to {MOST_UPLOADS} uploads.",
            limit=MOST_UPLOADS,
        )  # fmt: skip
    ids = []
    for one in given:
        try:
            ids.append(UUID(one))
        except (ValueError, TypeError, AttributeError):
            raise unknown_upload(one) from None
        if str(ids[-1]) != one:
            raise unknown_upload(one)
    if len(set(ids)) < len(ids):
        raise Problem(422, "repeated_upload", "`uploads` names one upload twice.")
    return ids


def refused(error: UploadRefused) -> Problem:
    upload = str(error.upload)
    match error:
        case UploadUsed(job=job):
            return Problem(
                409, "upload_used", f"The upload {upload} is used by a job already.", upload=upload, jobId=str(job)
            )
        case UploadOpen(lacking=lacking):
            sentence = f"The upload {upload} lacks {lacking:,} bytes; please finish it first."
            return Problem(409, "upload_unfinished", sentence, upload=upload, lacking=lacking)
        case UploadGone():
            sentence = f"The upload {upload} has expired or was ended; please upload the video again."
            return Problem(410, "upload_gone", sentence, upload=upload)
        case UploadUnknown():
            return unknown_upload(upload)
    raise error


def unknown_upload(given: Any) -> Problem:
    return Problem(422, "unknown_upload", f"There is no upload {str(given)[:100]!r}.")
