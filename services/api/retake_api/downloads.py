"""`GET /api/jobs/{id}/download`: the finished takes of a job in one ZIP, from the first one on.

The whole answer is laid out from rows before it begins, so its length is exact, and any replica makes the same bytes of
the same takes. Which takes there are changes while the job runs: then an answer is a snapshot that no Range continues,
and its Content-Location is the address that does, because it names the moment (`asOf`, the id of an event).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import StreamingResponse

from retake.domain.states import ENDED
from retake.store.connect import Database
from retake.store.results import NoSuchMoment, Results, results_of
from retake_api.archive import entries, filename
from retake_api.conditions import Version
from retake_api.delivery import CHANGING, Delivery, Offer, delivers, disposition
from retake_api.described import refuses
from retake_api.jobs import read_id
from retake_api.problems import NothingHere, Problem
from retake_api.schemas import JobId
from retake_api.zipstream import lay_out

_CHOSEN = " of those that were chosen"

Files = Annotated[list[str] | None, Query(description="Only takes of these files: ids, repeated or with commas.")]
Numbers = Annotated[list[str] | None, Query(description="Only takes with these numbers, repeated or with commas.")]
Moment = Annotated[
    int | None,
    Query(
        alias="asOf", ge=1, lt=2**63, description="The id of an event: only takes that were finished when it happened."
    ),
]


def install(app: FastAPI, caller: Callable[..., Awaitable[UUID]], database: Database, delivery: Delivery) -> None:
    """`caller` is the dependency that knows in whose workspace the request is."""

    async def download_job(
        request: Request,
        *,
        job_id: JobId,
        workspace: Annotated[UUID, Depends(caller)],
        file: Files = None,
        variation: Numbers = None,
        as_of: Moment = None,
    ) -> Response:
        results = await found(database, workspace, read_id(job_id), as_of)
        pinned = as_of is not None
        chosen = choose(results, listed(file), listed(variation), pinned=pinned)
        return await delivery.answer(request, offer(request, chosen, pinned=pinned))

    app.get(
        "/api/jobs/{job_id}/download",
        summary="The finished takes of a job, as one ZIP",
        tags=["results"],
        response_class=StreamingResponse,
        responses=delivers(
            "application/zip",
            "A folder per video, and `manifest.json` and `manifest.csv` with the recipe of each take.",
            Content_Location="While the job runs: where this very answer can be continued.",
        )
        | refuses({409: "No take is finished (yet).", 410: "The job expired; the sentence says why."}),
    )(download_job)
    app.head("/api/jobs/{job_id}/download", include_in_schema=False)(download_job)


async def found(database: Database, workspace: UUID, job: UUID, as_of: int | None) -> Results:
    try:
        return await results_of(database, workspace, job, as_of)
    except NoSuchMoment:
        sentence = f"There is no event {as_of} (any more); leave `asOf` out to get what is finished now."
        raise Problem(422, "no_such_event", sentence) from None


def offer(request: Request, results: Results, *, pinned: bool) -> Offer:
    layout = lay_out(entries(results))
    ended = results.state in ENDED
    headers = {"Content-Disposition": disposition(filename(results)), "Cache-Control": CHANGING}
    if not ended and not pinned and results.as_of is not None:
        query = [*request.query_params.multi_items(), ("asOf", str(results.as_of))]
        headers["Content-Location"] = f"{request.url.path}?{urlencode(query)}"
    modified = results.as_of_at if pinned else results.ended_at
    version = Version(layout.etag, layout.size, modified, ranges=ended or pinned)
    return Offer(layout, version, "application/zip", headers, results.job, traceparent=results.traceparent)


def listed(given: Sequence[str] | None) -> list[str] | None:
    """Repeated, separated by commas, or both."""
    return None if given is None else [word.strip() for one in given for word in one.split(",") if word.strip()]


def choose(results: Results, files: Sequence[str] | None, variations: Sequence[str] | None, *, pinned: bool) -> Results:
    """The takes of these files with these numbers, where there are any; all, where nothing was said."""
    takes = results.takes
    if files is not None:
        videos = {_video(word, results) for word in files}
        takes = [take for take in takes if take.source in videos]
    if variations is not None:
        indices = {_index(word, results.variations) for word in variations}
        takes = [take for take in takes if take.index in indices]
    if takes:
        return replace(results, takes=takes)
    if pinned:
        raise Problem(409, "no_takes", "No take was finished at that moment.")
    if results.state in ENDED:
        raise Problem(409, "no_takes", f"This job ended without a finished take{_CHOSEN if results.takes else ''}.")
    raise Problem(409, "no_takes_yet", f"No take{_CHOSEN if results.takes else ' of this job'} is finished yet.")


def _video(word: str, results: Results) -> int:
    video = read_id(word)
    if video not in results.videos:
        raise NothingHere
    return results.videos.index(video)


def _index(word: str, most: int) -> int:
    if word.isascii() and word.isdecimal() and len(word) <= 3 and 1 <= int(word) <= most:
        return int(word)
    raise Problem(422, "no_such_variation", f"`variation` must be numbers from 1 to {most}, not `{word[:20]}`.")
