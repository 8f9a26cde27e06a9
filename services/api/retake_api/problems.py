"""Errors as RFC 9457 problem documents: one sentence for people, a stable code for programs, the request's id.

Whoever refuses a request raises `Problem`. What the adapters raise is translated by the table below. Every 404 is the
same bytes, whether there is no such address, no such job, or one that is somebody else's: so it names neither the
address nor the request, whose id is in the header.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from retake.blobs.errors import BlobError
from retake.store.connect import Unavailable
from retake.store.jobs import KeyLost
from retake.store.move import JobGone
from retake.store.results import Expired
from retake.store.sources import SourceGone

log = structlog.stdlib.get_logger(__name__)


class Problem(Exception):
    """The request is refused."""

    def __init__(
        self, status: int, code: str, sentence: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence, self.headers, self.more = status, code, sentence, headers or {}, more


class Told(BaseModel):
    """An error (RFC 9457). Some say more, in fields of their own: `allowed`, `limit`, `suggestion`, `errors`."""

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Conflict"], description="What the status means.")
    status: int = Field(examples=[409])
    detail: str = Field(examples=["No take of this job is finished yet."])
    code: str = Field(examples=["no_takes_yet"], description="What programs tell it by; it stays.")
    error: str = Field(examples=["No take of this job is finished yet."], description="One sentence; same as detail.")
    instance: str | None = Field(default=None, examples=["/api/jobs"], description="The address; on no 404.")
    requestId: str | None = Field(  # noqa: N815  as on the wire
        default=None, examples=["b7cb3d6f0a5c3e11"], description="As in `X-Request-Id`; on no 404."
    )


class NothingHere(Problem):
    """There is nothing at this address."""

    def __init__(self) -> None:
        super().__init__(404, "not_found", "There is nothing at this address.")


IN_FLIGHT = Problem(
    409,
    "request_in_flight",
    "Another request with this Idempotency-Key is in flight; please ask again for its answer.",
    headers={"Retry-After": "5"},
)

_UNREADABLE = Problem(400, "invalid_json", "The request body must be JSON that can be read.")
_TRANSLATED: Mapping[type[Exception], Problem] = {
    Unavailable: Problem(
        503, "database_unavailable", "The database does not answer; please try again.", headers={"Retry-After": "5"}
    ),
    BlobError: Problem(
        503, "storage_unavailable", "The object store does not answer; please try again.", headers={"Retry-After": "5"}
    ),
    JobGone: NothingHere(),
    KeyLost: IN_FLIGHT,
    SourceGone: Problem(409, "source_gone", "A video's bytes are not kept any more; please upload it again."),
}
_EXPIRED = {
    "age": "The takes of this job were kept as long as promised, and have been removed.",
    "space": "The takes of this job were removed to make room for newer ones.",
}
_CLIENT_LEFT = 499  # nobody reads it but the log


def problem(request: Request, status: int, code: str, sentence: str, **more: Any) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "code": code,
        "error": sentence,
    }
    if status != 404:
        body |= {"instance": request.url.path, "requestId": getattr(request.state, "request_id", None), **more}
    return JSONResponse(body, status, media_type="application/problem+json")


def answer(request: Request, refusal: Problem) -> JSONResponse:
    response = problem(request, refusal.status, refusal.code, refusal.sentence, **refusal.more)
    response.headers.update(refusal.headers)
    return response


def broken(request: Request, error: Exception) -> JSONResponse:
    """The last resort."""
    log.error("request failed", path=request.url.path, exc_info=error)
    return problem(request, 500, "internal", "Something went wrong on our side; trying again may help.")


def install(app: FastAPI) -> None:
    """Every error an app can answer with goes through `answer`."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(request, error)

    async def by_the_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(request, _framework_problem(app, request, error))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if any(one["type"] == "json_invalid" for one in error.errors()):
            return answer(request, _UNREADABLE)
        errors = [{"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
        sentence = "; ".join(f"{one['where']}: {one['what']}" for one in errors) + "."
        return problem(request, 422, "invalid", sentence, errors=errors)

    async def translated(request: Request, error: Exception) -> Response:
        refusal = next(refusal for kind, refusal in _TRANSLATED.items() if isinstance(error, kind))
        if refusal.status >= 500:
            log.warning("request failed", path=request.url.path, error=str(error))
        return answer(request, refusal)

    async def expired(request: Request, error: Exception) -> Response:
        assert isinstance(error, Expired)
        return answer(request, Problem(410, "expired", _EXPIRED[error.because], reason=error.because))

    async def gone(_request: Request, _error: Exception) -> Response:
        return Response(status_code=_CLIENT_LEFT)

    app.add_exception_handler(Problem, refused)
    app.add_exception_handler(HTTPException, by_the_framework)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Expired, expired)
    app.add_exception_handler(ClientDisconnect, gone)
    for kind in _TRANSLATED:
        app.add_exception_handler(kind, translated)


def _framework_problem(app: FastAPI, request: Request, error: HTTPException) -> Problem:
    if error.status_code == 404:
        return NothingHere()
    if error.status_code == 405:
        allowed = sorted(
            {
                method
                for route in app.routes
                if isinstance(route, Route) and route.path_regex.match(request.url.path)
                for method in route.methods or ()
            }
        )
        sentence = f"This address takes {', '.join(allowed)}, not {request.method}."
        return Problem(405, "method_not_allowed", sentence, headers={"Allow": ", ".join(allowed)}, allowed=allowed)
    if isinstance(error.__cause__, Problem):  # what ended the reading of a body
        return error.__cause__
    if error.status_code == 400:
        return _UNREADABLE
    code = HTTPStatus(error.status_code).name.lower()
    return Problem(error.status_code, code, error.detail, headers=error.headers)
