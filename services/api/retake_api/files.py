"""Single files of a job: a take, the source it was made of, and their pictures, to be watched or kept.

What is stored never changes, so a browser may keep it, and may ask for any part of it: a player seeks by Range.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from retake.blobs.bucket import Blobs
from retake.domain.states import VariationState
from retake.store.connect import Database
from retake.store.files import source_file, take_file, thumb_key
from retake.store.sources import SourceGone
from retake_api.conditions import Version
from retake_api.delivery import IMMUTABLE, Delivery, Offer, SourceRemoved, delivers, disposition
from retake_api.described import refuses
from retake_api.jobs import read_id
from retake_api.problems import NothingHere, Problem
from retake_api.schemas import FileId, JobId
from retake_api.segments import Content, Stored, end_to_end
from retake_api.zipnames import clean, folders, take_path

_VIDEO = {
    ".mov": "video/quicktime",
    ".qt": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
}

_REFUSED = {
    409: "The take is not finished yet, failed or was cancelled.",
    410: "The job expired, or its source was removed; the sentence says why.",
}

Index = Annotated[str, Path(examples=["1"], description="The number of a take, from 1.")]


class Place(NamedTuple):
    """Of a video: whose, in which job, and which."""

    workspace: UUID
    job: UUID
    video: UUID


def install(
    app: FastAPI, caller: Callable[..., Awaitable[UUID]], database: Database, blobs: Blobs, delivery: Delivery
) -> None:
    """`caller` is the dependency that knows in whose workspace the request is."""

    async def place(job_id: JobId, file_id: FileId, workspace: Annotated[UUID, Depends(caller)]) -> Place:
        return Place(workspace, read_id(job_id), read_id(file_id))

    There = Annotated[Place, Depends(place)]  # noqa: N806  a type
    Kept = Annotated[bool, Query(alias="download", description="To be kept, not to be shown.")]  # noqa: N806  a type

    async def show_take(request: Request, at: There, index: Index, kept: Kept = False) -> Response:  # noqa: FBT002
        found = await take_file(database, *at, read_index(index))
        if found.key is None or found.size is None:
            raise unfinished(found.state, found.error)
        path = take_path(folders(found.sources)[found.position], int(index), found.variations)
        name = path.rpartition("/")[2]
        return await delivery.answer(
            request, _offer(at, [(found.size, Stored(found.key))], "video/mp4", name, inline=not kept)
        )

    async def show_source(request: Request, at: There, kept: Kept = False) -> Response:  # noqa: FBT002
        try:
            found = await source_file(database, *at)
        except SourceGone:
            raise SourceRemoved from None
        contents: list[tuple[int, Content]] = [(size, Stored(key)) for key, size in found.chunks]
        name = clean(found.name)
        kind = next((kind for ending, kind in _VIDEO.items() if name.lower().endswith(ending)), "video/mp4")
        return await delivery.answer(request, _offer(at, contents, kind, name, inline=not kept, source=found.id))

    async def show_take_thumbnail(request: Request, at: There, index: Index) -> Response:
        return await picture(request, at, (await take_file(database, *at, read_index(index))).thumb_key)

    async def show_thumbnail(request: Request, at: There) -> Response:
        return await picture(request, at, await thumb_key(database, *at))

    async def picture(request: Request, at: Place, key: str | None) -> Response:
        """Small enough to be read whole, and only so it is known how long it is."""
        if key is None:
            raise NothingHere
        data = await blobs.get(key)
        return await delivery.answer(request, _offer(at, [(len(data), data)], "image/webp", "thumbnail.webp"))

    def route(path: str, answer: Callable[..., Awaitable[Response]], summary: str, media: str, what: str) -> None:
        app.get(
            f"/api/jobs/{{job_id}}/files/{{file_id}}{path}",
            summary=summary,
            tags=["results"],
            response_class=StreamingResponse,
            responses=delivers(media, what) | refuses(_REFUSED),
        )(answer)
        app.head(f"/api/jobs/{{job_id}}/files/{{file_id}}{path}", include_in_schema=False)(answer)

    route("/variations/{index}", show_take, "One take, to be watched or kept", "video/mp4", "The take.")
    route("/variations/{index}/thumbnail", show_take_thumbnail, "The picture of a take", "image/webp", "The picture.")
    route("/source", show_source, "The video as it was uploaded", "video/mp4", "The source; other sorts say so.")
    route("/thumbnail", show_thumbnail, "The picture of a video", "image/webp", "The picture.")


def read_index(text: str) -> int:
    """Numbers in the one form we write them in."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and str(int(text)) == text):
        raise NothingHere
    return int(text)


def unfinished(state: VariationState, error: str | None) -> Problem:
    if state is VariationState.QUEUED:
        return Problem(409, "not_finished", "This take is not finished yet.")
    if state is VariationState.CANCELLED:
        return Problem(409, "cancelled", "This take was cancelled before it was finished.")
    return Problem(409, "failed", error or "This take failed.")


def _offer(
    at: Place,
    contents: list[tuple[int, Content]],
    kind: str,
    name: str,
    *,
    inline: bool = True,
    source: UUID | None = None,
) -> Offer:
    layout = end_to_end(contents)
    headers = {"Content-Disposition": disposition(name, inline=inline), "Cache-Control": IMMUTABLE}
    return Offer(layout, Version(layout.etag, layout.size), kind, headers, at.job, source)
