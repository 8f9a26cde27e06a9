"""Stored bytes on their way to a client: conditions and Range, a lease on them, and an end that is the end or is seen.

What is short is read before the answer begins, and needs no lease. Everything else is sent under one, which every piece
that the client takes renews: whoever takes none for as long as a lease lives is let go, so 4 KiB a second is the
slowest there is. Bytes are read when the client takes them, so one piece is in memory. When an object is missing or
short, or the lease is lost, the connection is closed before its Content-Length is reached, which every client sees; an
answer is never ended early as if it were whole.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

import anyio
import structlog
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Send

from retake import metrics, tracing
from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobError
from retake.domain.timing import Timing
from retake.store.connect import Database, Unavailable
from retake.store.downloads import give_back, renew, take
from retake.store.sources import SourceGone
from retake_api.conditions import Version, wanted
from retake_api.described import Answers, refuses, streams
from retake_api.problems import Problem
from retake_api.segments import Layout, Segment, Stored, read

log = structlog.stdlib.get_logger(__name__)

IMMUTABLE = "private, max-age=86400, immutable"
CHANGING = "private, no-cache"

AT_ONCE = 2**20
"""Bytes that are read before the answer begins, and so need no lease."""


@dataclass(frozen=True)
class Offer:
    """What an address stands for. The lease is on the job, and on the source when it is that which is read."""

    layout: Layout
    version: Version
    media_type: str
    headers: Mapping[str, str]
    job: UUID
    source: UUID | None = None
    traceparent: str | None = None


class SourceRemoved(Problem):
    def __init__(self) -> None:
        super().__init__(410, "source_gone", "This source has been removed, because nothing needed it any more.")


class Lapsed(Exception):
    """The lease is lost: the bytes may be deleted any moment."""


class Stalled(Exception):
    """The client takes nothing any more."""


class Delivery:
    def __init__(self, database: Database, blobs: Blobs, timing: Timing) -> None:
        self._database, self._blobs, self._timing = database, blobs, timing

    async def answer(self, request: Request, offer: Offer) -> Response:
        version = offer.version
        want = wanted(request.method, request.headers, version)
        headers = {
            **offer.headers,
            "ETag": version.etag,
            "Accept-Ranges": "bytes" if version.ranges else "none",
            "X-Content-Type-Options": "nosniff",
        }
        if version.last_modified:
            headers["Last-Modified"] = version.last_modified
        if want.status == 304:
            return Response(status_code=304, headers=headers)
        if want.status == 412:
            raise Problem(412, "changed", "This is not the version that was asked for any more.")
        if want.status == 416:
            sentence = f"There are {version.size} bytes, and none of the range that was asked for."
            raise Problem(416, "no_such_range", sentence, headers={"Content-Range": f"bytes */{version.size}"})
        if want.status == 206:
            headers["Content-Range"] = f"bytes {want.first}-{want.first + want.length - 1}/{version.size}"
        headers["Content-Length"] = str(want.length)
        told: dict[str, Any] = {"status_code": want.status, "headers": headers, "media_type": offer.media_type}
        if request.method == "HEAD":
            return Response(**told)
        segments = list(offer.layout.cut(want.first, want.first + want.length - 1))
        span = partial(tracing.span, "download", parent=offer.traceparent, job=offer.job, bytes=want.length)
        if want.length <= AT_ONCE:
            with span():
                body = b"".join([piece async for piece in read(self._blobs, segments)])
            return Response(body, **told)
        hold = Hold(self._database, self._timing, offer.job, offer.source)
        return _Sending(self._blobs, segments, hold, span, **told)


class Hold:
    """A lease on a job's bytes. It is taken when the answer begins, and given back however that ends."""

    def __init__(self, database: Database, timing: Timing, job: UUID, source: UUID | None) -> None:
        self._database, self._timing, self._job, self._source = database, timing, job, source
        self._renewed = self._tried = 0.0

    @property
    def patience(self) -> float:
        """Seconds in which a client must take the next piece."""
        return self._timing.download

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        self._renewed = self._tried = time.monotonic()
        try:
            self._lease = await take(self._database, self._job, self._timing, self._source)
        except SourceGone:
            raise SourceRemoved from None
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await self._give_back()

    async def keep(self) -> None:
        """A piece was taken. While the database is away the lease lives on, for as long as it does."""
        now = time.monotonic()
        if now - self._tried < self._timing.download / 6:
            return
        self._tried = now
        try:
            if not await renew(self._database, self._lease, self._timing):
                raise Lapsed
        except Unavailable:
            if now - self._renewed > self._timing.download:
                raise Lapsed from None
        else:
            self._renewed = now

    async def _give_back(self) -> None:
        try:
            await give_back(self._database, self._lease)
        except Unavailable as error:
            log.warning("a download's lease was not given back and will run out", job=str(self._job), error=str(error))


class _Sending(StreamingResponse):
    """Ends with its last byte, or not at all: the server closes a connection whose answer was left unfinished."""

    def __init__(
        self,
        blobs: Blobs,
        segments: Sequence[Segment],
        hold: Hold,
        span: Callable[[], AbstractContextManager[tracing.Span]],
        **told: Any,
    ) -> None:
        self._pieces = read(blobs, segments)
        super().__init__(self._pieces, **told)
        self._blobs, self._segments, self._hold, self._span = blobs, segments, hold, span

    async def stream_response(self, send: Send) -> None:
        end = "left"
        with self._span() as span:
            try:
                async with self._hold.taken(), aclosing(self._pieces):
                    await self._look()
                    await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                    end = await self._send_pieces(send)
            finally:
                metrics.DOWNLOADS.labels(end).inc()
                span.tell(outcome=end)

    async def _look(self) -> None:
        """A store that is down, or has lost what comes first, says so while there is an answer to say it in."""
        first = next((one.content for one in self._segments if isinstance(one.content, Stored)), None)
        if first is not None:
            await self._blobs.size(first.key)

    async def _send_pieces(self, send: Send) -> str:
        """How it ended."""
        try:
            async for piece in self._pieces:
                await self._send(send, piece)
                await self._hold.keep()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Stalled:
            log.info("a client stopped reading its download", patience=self._hold.patience)
            return "stalled"
        except Lapsed:
            log.warning("a download lost its lease and was broken off")
            return "lapsed"
        except BlobError as error:
            log.error("a download was broken off", error=str(error))
            return "broken"
        return "whole"

    async def _send(self, send: Send, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._hold.patience):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            raise Stalled from None


def delivers(media: str, what: str, **more: str) -> Answers:
    """What a route that answers by Delivery says of itself; `more` are headers that only it has."""
    told = {"ETag": "This version.", "Content_Disposition": "The name to keep it under.", **more}
    return (
        streams(media, what, 200, **told)
        | streams(media, "The part that `Range` asked for.", 206, **told, Content_Range="Which part, of how much.")
        | {304: {"description": "The caller has this version."}}
        | refuses({412: "This is not the version that `If-Match` names.", 416: "There is nothing in that range."})
    )


def disposition(name: str, *, inline: bool = False) -> str:
    """A Content-Disposition; `name` is clean (zipnames). Clients that do not read Unicode get the plain one."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
