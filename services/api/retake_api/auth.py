"""Who is asking: a shared password is exchanged for a token, and every other call shows it.

POST /api/auth    {password} -> {token, expiresAt}
DELETE /api/auth  the token is worth nothing from now on, on every replica
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from retake.store.connect import Database
from retake.store.sessions import begin_session, end_session, workspace_of
from retake_api.bodies import json_object
from retake_api.described import Json, refuses, takes
from retake_api.problems import Problem
from retake_api.schemas import LogIn, Session

LIFE = timedelta(hours=24)

SECURITY: Json = {"bearer": {"type": "http", "scheme": "bearer", "description": "The `token` of a session."}}
"""The ways to say who one is, as the OpenAPI document names them."""


@dataclass(frozen=True)
class Caller:
    """Somebody who may do what they ask, in their workspace."""

    workspace: UUID
    token: str


class Gate:
    """A dependency of every route that is not open to all: the caller, or 401."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, request: Request) -> Caller:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise _unknown("no_token", "Log in first: this call needs `Authorization: Bearer <token>`.")
        workspace = await workspace_of(self._database, token)
        if workspace is None:
            raise _unknown("invalid_token", "This token is not valid, or not any more; please log in again.")
        structlog.contextvars.bind_contextvars(workspace=str(workspace))
        return Caller(workspace, token)

    def security(self, _method: str) -> list[Json]:
        """What it lets in, for the OpenAPI document."""
        return [{"bearer": []}]

    async def workspace(self, request: Request) -> UUID:
        """The same, for routes that need to know no more."""
        return (await self(request)).workspace


def install(app: FastAPI, gate: Gate, database: Database, password: str, workspace: UUID) -> None:
    """`workspace` is where the shared password leads."""

    @app.post(
        "/api/auth",
        summary="Log in",
        tags=["access"],
        response_model=Session,
        response_description="A token for 24 hours.",
        openapi_extra=takes({"application/json": LogIn}),
        responses=refuses(
            {
                400: "There is no password in the body.",
                401: "That is not the password.",
                503: "A part that is needed does not answer.",
            }
        ),
    )
    async def log_in(request: Request) -> Response:
        given = (await json_object(request)).get("password")
        if not isinstance(given, str) or not given:
            raise Problem(400, "no_password", 'The request body must be {"password": "..."}.')
        if not same(given, password):
            raise _unknown("wrong_password", "That is not the password.")
        token = token_urlsafe(32)
        expires: datetime = await begin_session(database, workspace, token, LIFE)
        return JSONResponse(
            Session(token=token, expires_at=expires).model_dump(mode="json", by_alias=True),
            headers={"Cache-Control": "no-store"},
        )

    @app.delete(
        "/api/auth",
        summary="Log out",
        tags=["access"],
        status_code=204,
        response_description="The token is worth nothing from now on.",
    )
    async def log_out(caller: Annotated[Caller, Depends(gate)]) -> Response:
        await end_session(database, caller.token)
        return Response(status_code=204)


def same(given: str, password: str) -> bool:
    """In a time that tells nothing about the password, for any text JSON can carry, half surrogate pairs included."""
    return hmac.compare_digest(_digest(given), _digest(password))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _unknown(code: str, sentence: str) -> Problem:
    return Problem(401, code, sentence, headers={"WWW-Authenticate": "Bearer"})
