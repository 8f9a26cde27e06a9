"""`GET /api/jobs/{id}/history`: what happened to a job, newest first: what listeners were told, for a week."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import TypeAdapter

from retake.store.connect import Database
from retake.store.events import Event, events_before
from retake_api.auth import Caller, Gate
from retake_api.jobs import found
from retake_api.live import in_public
from retake_api.schemas import JobId, Shape, said

_NEWEST = 2**63 - 1

Before = Annotated[int, Query(ge=1, le=_NEWEST, description="The id of an event: only what happened before it.")]
Limit = Annotated[int, Query(ge=1, le=500)]


class Happened(Shape):
    id: Annotated[int, said(4711)]
    at: datetime
    kind: Annotated[str, said("variation", "job, video, variation, wish, kept, lost or explained.")]
    data: Annotated[
        dict[str, Any],
        said(
            {"fileId": "c1f3c1de-6a8e-4b7a-8f0b-5a0a4c1b9d27", "index": 3, "status": "completed"},
            "As listeners get it.",
        ),
    ]


_LIST = TypeAdapter(list[Happened])


def install(app: FastAPI, gate: Gate, database: Database) -> None:
    @app.get(
        "/api/jobs/{job_id}/history",
        summary="What happened to a job, newest first",
        tags=["live"],
        response_model=list[Happened],
        response_description='A page of it. `Link: <...>; rel="next"` names the next one, if there is one.',
    )
    async def list_history(
        request: Request,
        job_id: JobId,
        caller: Annotated[Caller, Depends(gate)],
        before: Before = _NEWEST,
        limit: Limit = 100,
    ) -> Response:
        job = await found(database, caller, job_id)
        events = await events_before(database, job["id"], before, limit + 1)
        told = _LIST.dump_json([_told(event) for event in events[:limit]], by_alias=True)
        answer = Response(told, media_type="application/json")
        if len(events) > limit:
            link = request.url.include_query_params(before=events[limit - 1].id)
            answer.headers["Link"] = f'<{link.path}?{link.query}>; rel="next"'
        return answer


def _told(event: Event) -> Happened:
    data = in_public(event.job, event.body)
    del data["jobId"]
    return Happened(id=event.id, at=event.at, kind=event.kind, data=data)
