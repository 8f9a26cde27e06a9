"""The pages for people: one document for every address of theirs, and the files that it loads.

They were built from services/api/web into the folder `web` beside this module, and are held in memory, small as they
are, ready and compressed. Files have names that change with what is in them, so browsers keep them; the document is
asked for anew each time. Where nothing was built, the API works without pages and says so.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response

from retake_api.problems import NothingHere

log = structlog.stdlib.get_logger(__name__)

BUILT = files("retake_api").joinpath("web")
ADDRESSES = ("/", "/new", "/jobs/{job_id}", "/system")
"""Of pages; the router of the document (web/src/router.ts) knows what to show at each."""
DOCUMENT = "index.html"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_ANEW = "no-cache"
_WORTH_IT = 1024
"""Smaller files are not compressed."""


@dataclass(frozen=True)
class File:
    body: bytes
    zipped: bytes | None
    media: str
    etag: str
    cached: str

    @classmethod
    def of(cls, name: str, body: bytes) -> "File":
        media = mimetypes.guess_type(name)[0] or "application/octet-stream"
        zipped = gzip.compress(body, 9, mtime=0) if len(body) > _WORTH_IT and not media.startswith("image/p") else None
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return cls(body, zipped, media, etag, _FOR_EVER if name.startswith("assets/") else _ASK_ANEW)

    def answer(self, request: Request) -> Response:
        headers = {"Cache-Control": self.cached, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if self.media == "text/html":
            headers["Content-Security-Policy"] = _POLICY
        if request.headers.get("If-None-Match") == self.etag:
            return Response(status_code=304, headers=headers)
        if self.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
            return Response(self.zipped, media_type=self.media, headers={**headers, "Content-Encoding": "gzip"})
        return Response(self.body, media_type=self.media, headers=headers)


def install(app: FastAPI, prefix: str, built: Traversable = BUILT) -> None:
    found = {name: File.of(name, body) for name, body in _read(built)} if built.is_dir() else {}
    if DOCUMENT in found:
        found[DOCUMENT] = File.of(DOCUMENT, based(found[DOCUMENT].body, prefix))
    else:
        log.warning("there are no pages: they were not built (make setup)")

    async def page(request: Request) -> Response:
        if DOCUMENT not in found:
            raise NothingHere
        return found[DOCUMENT].answer(request)

    async def asset(name: str, request: Request) -> Response:
        if f"assets/{name}" not in found:
            raise NothingHere
        return found[f"assets/{name}"].answer(request)

    async def loaded(request: Request) -> Response:
        return found[request.scope["path"].rpartition("/")[2]].answer(request)

    for address in ADDRESSES:
        app.add_api_route(address, page, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/assets/{name}", asset, methods=["GET", "HEAD"], include_in_schema=False)
    for name in found:
        if "/" not in name and name != DOCUMENT:
            app.add_api_route(f"/{name}", loaded, methods=["GET", "HEAD"], include_in_schema=False)


def based(document: bytes, prefix: str) -> bytes:
    """With the address below which all its own are."""
    return document.replace(b'<base href="/"', f'<base href="{escape(prefix)}/"'.encode(), 1)


def _read(folder: Traversable, below: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _read(entry, f"{below}{entry.name}/")
        else:
            yield below + entry.name, entry.read_bytes()
