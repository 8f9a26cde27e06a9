"""Pages of other sites (CORS): those of the sites that are named may call, and read what they need."""

from collections.abc import Collection

from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from retake_api.problems import Problem, answer

EXPOSED = (
    "Content-Disposition", "Content-Range", "ETag", "Link", "Location", "Retry-After", "X-Request-Id",
    "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version",
    "Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset",
)  # fmt: skip
"""Headers of answers that they may read, besides the harmless ones."""


class OtherSites(CORSMiddleware):
    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=EXPOSED
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except Problem as refusal:
            await answer(Request(scope), refusal)(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        """What a browser asks before it sends a call."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        sentence = "Pages of this site may not call this; RETAKE_CORS_ORIGINS names the sites whose pages may."
        raise Problem(400, "other_site", sentence, headers={"Vary": response.headers["Vary"]})
