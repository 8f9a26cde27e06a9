"""GET /api/events and GET /api/jobs/{id}/events: server-sent events, from where the client says it stands.

A client that names no event starts now, and is told where that is (`ready`). One that names an event that is not kept
any more has missed something: `reset` tells it to look at everything anew. Streams end after a while by themselves, so
that nobody who was logged out listens for ever; whoever comes back misses nothing.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Header, Query, Response
from starlette.types import Receive, Scope, Send

from retake.store.connect import Database, Unavailable
from retake.store.events import is_kept, last_event
from retake_api.auth import Caller, Gate
from retake_api.described import streams
from retake_api.jobs import own
from retake_api.live import Live, encoded
from retake_api.problems import Problem
from retake_api.schemas import JobId

log = structlog.stdlib.get_logger(__name__)

HEARTBEAT = 15.0
LIFE = 600.0
_PATIENCE = 60.0
_RETRY = b"retry: 2000\n\n"
_ID = re.compile(r"[0-9]{1,18}")

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The id of the last event that came; what followed is told.")
]
After = Annotated[str | None, Query(description="The same, for those who cannot set a header; 0 is from the first on.")]

_ANSWER = streams("text/event-stream", "Events, for as long as the client listens.")


def install(app: FastAPI, gate: Gate, database: Database, live: Live) -> None:
    @app.get(
        "/api/events",
        summary="All that happens to jobs, while it happens",
        tags=["live"],
        response_class=Response,
        responses=_ANSWER,
    )
    async def stream_events(
        caller: Annotated[Caller, Depends(gate)], last: LastEventId = None, after: After = None
    ) -> Response:
        return await answer(caller.workspace, None, last or after)

    @app.get(
        "/api/jobs/{job_id}/events",
        summary="All that happens to one job, while it happens",
        tags=["live"],
        response_class=Response,
        responses=_ANSWER,
    )
    async def stream_job_events(
        job_id: JobId, caller: Annotated[Caller, Depends(gate)], last: LastEventId = None, after: After = None
    ) -> Response:
        job = await own(database, caller, job_id)
        return await answer(caller.workspace, job, last or after)

    async def answer(workspace: UUID, job: UUID | None, given: str | None) -> Response:
        if live.full:
            raise Problem(
                503, "crowded", "Too many are listening here; please ask for the job now and then instead.",
                headers={"Retry-After": "30"},
            )  # fmt: skip
        return EventStream(messages(workspace, job, given), LIFE)

    async def messages(workspace: UUID, job: UUID | None, given: str | None) -> AsyncGenerator[bytes, None]:
        yield _RETRY
        if given is not None and _ID.fullmatch(given) and await is_kept(database, workspace, int(given)):
            after = int(given)
        else:
            after = await last_event(database, workspace)
            yield encoded("ready" if given is None else "reset", after, {})
        async with aclosing(live.messages(workspace, job, after, HEARTBEAT)) as told:
            async for message in told:
                yield message


class EventStream(Response):
    """Ends when the client leaves or does not take what it is told, when its time is over or this process stops."""

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncGenerator[bytes, None], life: float) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._messages, self._life = messages, life

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        telling, leaving = asyncio.create_task(self._tell(send)), asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({telling, leaving}, timeout=self._life, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            ended = await asyncio.gather(telling, leaving, return_exceptions=True)
        if isinstance(ended[0], TimeoutError):
            log.info("a client stopped reading its events", patience=_PATIENCE)
            return  # the server closes a connection whose answer was left unfinished
        if isinstance(ended[0], Unavailable):
            log.warning("events cannot be told now", error=str(ended[0]))
        elif isinstance(ended[0], Exception):
            raise ended[0]
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, send: Send) -> None:
        async with aclosing(self._messages):
            async for message in self._messages:
                async with asyncio.timeout(_PATIENCE):
                    await send({"type": "http.response.body", "body": message, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
