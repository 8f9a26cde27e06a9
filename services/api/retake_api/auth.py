"""Who is asking, and what they may do: the gate before every route that is not open to all.

A caller shows one of these; `Authorization` wins over the others.

    Authorization: Bearer <token>   of a session (login.py), or an API key (keys.py)
    ?link=<token>                   signed, for the results of one job (links.py); only where a route opens to links
    the session cookie              for browsers; what changes something must come from our own pages

Tokens are signed, so one that was made up costs no look at the database.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from fastapi import Request

from retake.api_keys import PREFIX, Scope
from retake.store.connect import Database
from retake.store.moments import is_over
from retake.store.sessions import workspace_of
from retake_api.described import Json
from retake_api.keys import Keys
from retake_api.problems import Problem
from retake_api.signing import Signer

COOKIE = "retake_session"
SESSION, LINK = "session", "link"
"""What a token is signed for."""
EVERYTHING = frozenset(Scope)

SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The `token` of a session, or an API key."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "What logging in sets in a browser."},
    "link": {"type": "apiKey", "in": "query", "name": "link", "description": "Of a signed link to one job's results."},
}
"""The ways to say who one is, as the OpenAPI document names them."""


@dataclass(frozen=True)
class Caller:
    """Somebody who may do what they ask, in their workspace."""

    workspace: UUID
    token: str
    scopes: frozenset[Scope] = EVERYTHING
    session: bool = True
    """False for an API key and a link."""

    def must(self, scope: Scope) -> None:
        """Raises Problem 403 when the caller has not got this scope."""
        if scope not in self.scopes:
            sentence = f"This needs the scope `{scope}`, and the API key shown has {', '.join(sorted(self.scopes))}."
            raise Problem(403, "missing_scope", sentence, scope=scope, allowed=sorted(self.scopes))


@dataclass(frozen=True)
class Access:
    """What tells who somebody is."""

    database: Database
    signer: Signer
    keys: Keys
    password: bytes
    """The fingerprint of the one that opens sessions now."""


@dataclass(frozen=True)
class Gate:
    """A dependency: the caller, or 401; and 403 when they have not got the scope. Without one said, what only looks
    needs `read`, and everything else `submit`."""

    access: Access = field(repr=False)
    scope: Scope | None = None

    async def __call__(self, request: Request) -> Caller:
        caller = await self._caller(request)
        caller.must(self._needed(request.method))
        _tell_log(request, caller.workspace)
        return caller

    async def workspace(self, request: Request) -> UUID:
        """The same for routes that give bytes, which need to know no more: a signed link opens these, too."""
        shown = request.query_params.get("link")
        if shown is None or "Authorization" in request.headers:
            return (await self(request)).workspace
        workspace = await self._linked(shown, str(request.path_params["job_id"]))
        _tell_log(request, workspace)
        return workspace

    def needs(self, scope: Scope) -> "Gate":
        """For a route whose method does not tell what it needs."""
        return Gate(self.access, scope)

    def security(self, call: Any, method: str) -> list[Json]:
        """What opens a route with `call` among its dependencies, for the OpenAPI document."""
        scopes = [self._needed(method).value]
        links: list[Json] = [] if call is self else [{"link": scopes}]
        return [{"bearer": scopes}, {"session": scopes}, *links]

    def _needed(self, method: str) -> Scope:
        return self.scope or (Scope.READ if method in ("GET", "HEAD") else Scope.SUBMIT)

    async def _caller(self, request: Request) -> Caller:
        if "Authorization" in request.headers:
            return await self._bearer(request.headers["Authorization"])
        if (token := request.cookies.get(COOKIE)) is not None:
            if request.method not in ("GET", "HEAD"):
                _from_our_pages(request)
            return await self._session(token)
        raise unknown("no_token", "Log in first: this call needs `Authorization: Bearer <token>`.")

    async def _bearer(self, header: str) -> Caller:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise unknown("no_token", "Log in first: this call needs `Authorization: Bearer <token>`.")
        if not token.startswith(PREFIX):
            return await self._session(token)
        known = await self.access.keys.find(token)
        if known is None:
            raise unknown("invalid_key", "This API key is not known, or not any more.")
        structlog.contextvars.bind_contextvars(api_key=known.key.name)
        return Caller(known.workspace, token, known.key.scopes, session=False)

    async def _session(self, token: str) -> Caller:
        workspace = None
        if self.access.signer.verify(SESSION, token) is not None:
            workspace = await workspace_of(self.access.database, token, self.access.password)
        if workspace is None:
            raise unknown("invalid_token", "This token is not valid, or not any more; please log in again.")
        return Caller(workspace, token)

    async def _linked(self, shown: str, job: str) -> UUID:
        signed = self.access.signer.verify(LINK, shown)
        if signed is not None:
            workspace, _, its_job = signed.subject.partition("/")
            if its_job == job and not await is_over(self.access.database, signed.expires):
                return UUID(workspace)
        raise unknown("invalid_link", "This link does not open this, or not any more; please ask for a new one.")


def _tell_log(request: Request, workspace: UUID) -> None:
    """Whose request it is and, where its address names one, of which job."""
    structlog.contextvars.bind_contextvars(workspace=str(workspace))
    if (job := request.path_params.get("job_id")) is not None:
        structlog.contextvars.bind_contextvars(job=str(job)[:36])


def unknown(code: str, sentence: str) -> Problem:
    return Problem(401, code, sentence, headers={"WWW-Authenticate": "Bearer"})


def _from_our_pages(request: Request) -> None:
    """Raises Problem 403 for what another site's page, or a program that has a browser's cookie, sends. A browser says
    where a request comes from in one of these headers at least."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    ours = urlsplit(origin).netloc == request.headers.get("Host") if origin else site is not None
    if not ours or site not in (None, "same-origin"):
        sentence = "With a browser's session, this must come from a page of this service; else use a token or API key."
        raise Problem(403, "cross_site", sentence)
