"""`GET /api/workers`: who works, on what, how fast; and who is gone. Of other workspaces one sees no more than that."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Response
from pydantic import TypeAdapter

from retake.domain.timing import Timing
from retake.domain.work import PartKind
from retake.store.connect import Database
from retake.store.fleet import Row, fleet
from retake_api.auth import Caller, Gate
from retake_api.schemas import Shape, said


class Working(Shape):
    """A part that a worker has in hand."""

    kind: Annotated[PartKind, said(PartKind.RENDER)]
    takes: Annotated[int, said(5)]
    job_id: Annotated[UUID | None, said("7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11", "Null for another workspace's.")]
    file_id: Annotated[UUID | None, said("c1f3c1de-6a8e-4b7a-8f0b-5a0a4c1b9d27")]


class Worker(Shape):
    name: Annotated[str, said("retake-worker-1")]
    version: Annotated[str, said("0.1.0")]
    status: Annotated[
        Literal["active", "leaving", "gone", "lost"],
        said(
            "active",
            "leaving: it was told to stop, and finishes what it works on; gone: it stopped; lost: nothing was heard of "
            "it lately.",
        ),
    ]
    slots: Annotated[int, said(2, "Parts it works on at once, at most.")]
    busy: Annotated[int, said(1, "Parts it works on now.")]
    working: list[Working]
    speed: Annotated[float | None, said(4.2, "Seconds of takes for each second of work, lately.")]
    sandbox: Annotated[list[str], said(["landlock", "seccomp"], "The layers that keep FFmpeg in.")]
    engine: Annotated[str, said("a3f9c1", "The build of FFmpeg, by which the same recipe gives the same bytes.")]
    started_at: datetime
    seen_at: datetime


_WORKERS = TypeAdapter(list[Worker])


def install(app: FastAPI, gate: Gate, database: Database, timing: Timing) -> None:
    @app.get(
        "/api/workers",
        summary="Who works, on what, how fast",
        tags=["service"],
        response_model=list[Worker],
        response_description="Those that were heard of within a day; the active ones first.",
    )
    async def list_workers(caller: Annotated[Caller, Depends(gate)]) -> Response:
        found = [worker(row) for row in await fleet(database, caller.workspace, timing)]
        return Response(_WORKERS.dump_json(found, by_alias=True), media_type="application/json")


def worker(row: Row) -> Worker:
    working = [
        Working(kind=part["kind"], takes=part["takes"], job_id=part["job"], file_id=part["video"])
        for part in row["parts"]
    ]
    return Worker(
        name=row["name"],
        version=row["version"],
        status=row["status"],
        slots=row["slots"],
        busy=len(working),
        working=working,
        speed=None if row["speed"] is None else round(row["speed"], 2),
        sandbox=row["sandbox"],
        engine=row["engine"],
        started_at=row["started_at"],
        seen_at=row["seen_at"],
    )
