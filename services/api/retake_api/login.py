"""The shared password is exchanged for a token, and the token given back.

POST /api/auth    {password} -> {token, expiresAt}, and the same token as a cookie for browsers
DELETE /api/auth  the token is worth nothing from now on, on every replica

Before a password is looked at, the attempt is counted (store/login_attempts.py): guessing is slow, and whoever knows
the password is let in elsewhere meanwhile.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import token_urlsafe
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from retake.store.connect import Database
from retake.store.login_attempts import Limits, TooMany, count_attempt, forgive_attempt
from retake.store.moments import moment_in
from retake.store.sessions import begin_session, end_session
from retake_api.addresses import address
from retake_api.auth import COOKIE, SESSION, Caller, Gate, unknown
from retake_api.bodies import json_object
from retake_api.described import refuses, takes
from retake_api.password import Busy, Password
from retake_api.problems import Problem
from retake_api.schemas import LogIn, Session
from retake_api.signing import Signer

LIFE = timedelta(hours=24)


@dataclass(frozen=True)
class Door:
    """What logging in takes."""

    database: Database
    signer: Signer
    password: Password
    workspace: UUID
    """Where the shared password leads."""
    limits: Limits = field(default_factory=Limits)


def install(app: FastAPI, gate: Gate, door: Door) -> None:
    @app.post(
        "/api/auth",
        summary="Log in",
        tags=["access"],
        response_model=Session,
        response_description="A token for 24 hours; also set as an HttpOnly cookie.",
        openapi_extra=takes({"application/json": LogIn}),
        responses=refuses(
            {
                400: "There is no password in the body.",
                401: "That is not the password.",
                429: "Too many wrong passwords, or too many at once.",
                503: "A part that is needed does not answer.",
            }
        ),
    )
    async def log_in(request: Request) -> Response:
        given = (await json_object(request)).get("password")
        if not isinstance(given, str) or not given:
            raise Problem(400, "no_password", 'The request body must be {"password": "..."}.')
        await check(door, client_of(request), given)
        token = door.signer.sign(SESSION, token_urlsafe(24), await moment_in(door.database, LIFE))
        expires = await begin_session(door.database, door.workspace, token, door.password.fingerprint, LIFE)
        answer = JSONResponse(
            Session(token=token, expires_at=expires).model_dump(mode="json", by_alias=True),
            headers={"Cache-Control": "no-store"},
        )
        _set_cookie(answer, request, token, LIFE)
        return answer

    @app.delete(
        "/api/auth",
        summary="Log out",
        tags=["access"],
        status_code=204,
        response_description="The token is worth nothing from now on.",
    )
    async def log_out(request: Request, caller: Annotated[Caller, Depends(gate)]) -> Response:
        if not caller.session:
            raise Problem(403, "not_a_session", "An API key is not logged in, and so not out; remove it from its file.")
        await end_session(door.database, caller.token)
        answer = Response(status_code=204)
        _set_cookie(answer, request, "", timedelta())
        return answer


async def check(door: Door, client: str, given: str) -> None:
    """Raises Problem unless it is the password."""
    try:
        with door.password.queued():
            await count_attempt(door.database, client, door.limits)
            if not await door.password.matches(given):
                raise unknown("wrong_password", "That is not the password.")
        await forgive_attempt(door.database, client)
    except TooMany as wait:
        sentence = f"Too many wrong passwords; please try again in {wait.seconds} seconds."
        raise _later("too_many_attempts", sentence, wait.seconds) from None
    except Busy:
        raise _later("too_many_at_once", "Too many people are logging in right now; please try again.", 2) from None


def client_of(request: Request) -> str:
    """Whose attempts are counted together. Of IPv6, everybody has at least a /64."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host[:100] or "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address.packed, 64), strict=False))
    return str(address)


def _later(code: str, sentence: str, seconds: int) -> Problem:
    return Problem(429, code, sentence, headers={"Retry-After": str(seconds)})


def _set_cookie(answer: Response, request: Request, token: str, life: timedelta) -> None:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(life.total_seconds()),
        path=address("") or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
