"""Errors as RFC 9457 problem documents: one sentence for people, a stable code for programs, the request's id."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

log = structlog.stdlib.get_logger(__name__)

_CODES = {404: "not_found", 405: "method_not_allowed"}
_SENTENCES = {404: "There is nothing at this address.", 405: "This address does not take that method."}


def problem(request: Request, status: int, code: str, sentence: str, **more: Any) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": sentence,
        "instance": request.url.path,
        "code": code,
        "error": sentence,
        **more,
    }
    return JSONResponse(body, status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Every error an app can answer with goes through `problem`."""

    async def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = _CODES.get(error.status_code, HTTPStatus(error.status_code).name.lower())
        answer = problem(request, error.status_code, code, _SENTENCES.get(error.status_code, error.detail))
        answer.headers.update(error.headers or {})
        return answer

    async def broken(request: Request, error: Exception) -> JSONResponse:
        log.error("request failed", path=request.url.path, exc_info=error)
        return problem(request, 500, "internal", "Something went wrong on our side; trying again may help.")

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, broken)
