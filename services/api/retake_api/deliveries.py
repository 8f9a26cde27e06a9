"""`GET /api/jobs/{id}/deliveries`: what was sent to a job's `callbackUrl`, and what became of it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Response
from pydantic import TypeAdapter

from retake.store.connect import Database
from retake.store.deliveries import Row, deliveries_of
from retake_api.auth import Caller, Gate
from retake_api.jobs import own
from retake_api.schemas import JobId, Moment, Shape, said
from retake_api.webhooks import message_id, message_type


class Sent(Shape):
    """A message, through all tries."""

    id: Annotated[str, said("msg_0b7c2b6e6f1c4a0e9d3f5a7b8c9d0e1f", "Its `webhook-id`.")]
    sequence: Annotated[int, said(3, "Counts the messages of the job.")]
    type: Annotated[str, said("job.completed")]
    status: Annotated[
        Literal["waiting", "delivered", "refused", "given_up"],
        said("delivered", "waiting: it is tried again; refused: it must not be; given_up: a day was not enough."),
    ]
    attempts: Annotated[int, said(1)]
    answered: Annotated[int | None, said(204, "The status of the last answer, if there was one.")]
    error: Annotated[str | None, said(None)]
    created_at: datetime
    next_at: Annotated[datetime | None, said(None, "When it is tried again.")]
    ended_at: Moment


_LIST = TypeAdapter(list[Sent])


def install(app: FastAPI, gate: Gate, database: Database) -> None:
    @app.get(
        "/api/jobs/{job_id}/deliveries",
        summary="What was sent to the address a job named",
        tags=["live"],
        response_model=list[Sent],
        response_description="The newest 200, newest first.",
    )
    async def list_deliveries(job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        job = await own(database, caller, job_id)
        told = [sent(row) for row in await deliveries_of(database, job)]
        return Response(_LIST.dump_json(told, by_alias=True), media_type="application/json")


def sent(row: Row) -> Sent:
    return Sent(
        id=message_id(row["id"]),
        sequence=row["number"],
        type=message_type(row["kind"], row["body"]),
        status=row["state"],
        attempts=row["attempts"],
        answered=row["answered"],
        error=row["error"],
        created_at=row["created_at"],
        next_at=row["next_at"] if row["state"] == "waiting" else None,
        ended_at=row["ended_at"],
    )
