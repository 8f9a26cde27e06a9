"""`GET /api/jobs/{id}/download`: the finished takes of a job in one ZIP, from the first one on.

The whole answer is laid out from rows before it begins, so its Content-Length is exact. Bytes are read from the object
store when the client takes them: one piece at a time is in memory. When an object is missing or short the connection
is closed before its Content-Length is reached, which every client sees; a ZIP is never ended early as if it were whole.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from retake.blobs.bucket import Blobs
from retake.domain.states import ENDED
from retake.store.connect import Database
from retake.store.results import Results, results_of
from retake_api.archive import entries, filename
from retake_api.described import refuses, streams
from retake_api.jobs import read_id
from retake_api.problems import Problem
from retake_api.schemas import JobId
from retake_api.zipstream import Layout, lay_out

log = structlog.stdlib.get_logger(__name__)

PATIENCE = 120.0
"""Seconds in which a client must take the next piece; one that stops reading holds nothing longer."""

_GONE = {
    "age": "The takes of this job were kept as long as promised, and have been removed.",
    "space": "The takes of this job were removed to make room for newer ones.",
}


def install(
    app: FastAPI,
    caller: Callable[..., Awaitable[UUID]],
    database: Database,
    blobs: Blobs,
    *,
    patience: float = PATIENCE,
) -> None:
    """`caller` is the dependency that knows in whose workspace the request is."""

    async def download(request: Request, job_id: JobId, workspace: Annotated[UUID, Depends(caller)]) -> Response:
        results = await results_of(database, workspace, read_id(job_id))
        check(results)
        layout = lay_out(entries(results))
        headers = {
            "Content-Length": str(layout.size),
            "Content-Disposition": attachment(filename(results)),
            "Cache-Control": "private, no-store",
        }
        if request.method == "HEAD":
            return Response(headers=headers, media_type="application/zip")
        await blobs.size(results.takes[0].key)  # a store that is down says so while there is an answer to say it in
        return _Download(_pieces(blobs, layout), headers, patience)

    app.get(
        "/api/jobs/{job_id}/download",
        summary="The finished takes of a job, as one ZIP",
        tags=["results"],
        response_class=StreamingResponse,
        responses=streams("application/zip", "A folder per video, and `manifest.json` with the recipe of each take.")
        | refuses({409: "No take is finished (yet).", 410: "The job expired; the sentence says why."}),
    )(download)
    app.head("/api/jobs/{job_id}/download", include_in_schema=False)(download)


def check(results: Results) -> None:
    """Is there something to download?"""
    if (reason := results.expired_because) is not None:
        raise Problem(410, "expired", _GONE[reason], reason=reason)
    if results.takes:
        return
    if results.state in ENDED:
        raise Problem(409, "no_takes", "This job ended without a finished take.")
    raise Problem(409, "no_takes_yet", "No take of this job is finished yet.")


def attachment(name: str) -> str:
    """A Content-Disposition; `name` is clean (zipnames). Clients that do not read Unicode get the plain one."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _pieces(blobs: Blobs, layout: Layout) -> AsyncGenerator[bytes, None]:
    for segment in layout.segments:
        if isinstance(segment.content, bytes):
            yield segment.content
            continue
        async with blobs.stream(segment.content.key, 0, segment.size) as pieces:
            async for piece in pieces:
                yield piece


class _Download(StreamingResponse):
    """Ends with its last byte, or not at all: the server closes a connection whose answer was left unfinished."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], headers: Mapping[str, str], patience: float) -> None:
        super().__init__(pieces, headers=headers, media_type="application/zip")
        self._pieces, self._patience = pieces, patience

    async def stream_response(self, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(self._patience):
                await send(message)

        async with aclosing(self._pieces):
            try:
                await super().stream_response(patiently)
            except TimeoutError:
                log.info("a client stopped reading its download", patience=self._patience)
