"""Storage that explains itself: who uses how much, what goes next and why, and which jobs are kept from it."""

from itertools import islice
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Response
from pydantic_core import to_json

from retake.domain.eviction import HIGH, LOW, in_turn
from retake.settings import Storage
from retake.store.connect import Database
from retake.store.eviction import (
    Candidate,
    KeepRefused,
    TooManyKept,
    bytes_by_kind,
    keep,
    kept_jobs,
    let_go,
    outlook,
)
from retake_api import views
from retake_api.auth import Caller, Gate
from retake_api.described import refuses
from retake_api.expected import Expected
from retake_api.jobs import found, read_id
from retake_api.problems import Problem
from retake_api.schemas import BytesByKind, Job, JobId, Keep, KeptJob, NextToGo, StorageUse

SHOWN = 50
"""So many of the jobs that would go next."""


def install(app: FastAPI, gate: Gate, database: Database, storage: Storage, expected: Expected) -> None:
    @app.get(
        "/api/storage",
        summary="What is stored, and what goes next",
        tags=["service"],
        response_model=StorageUse,
        response_description="As it is now.",
    )
    async def show_storage(caller: Annotated[Caller, Depends(gate)]) -> Response:
        shown = await storage_use(database, storage, caller.workspace)
        return Response(shown.model_dump_json(by_alias=True), media_type="application/json")

    @app.post(
        "/api/jobs/{job_id}/keep",
        summary="Keep a job when room is made, or let it go",
        tags=["jobs"],
        response_model=Job,
        response_description="The job as it is then.",
        responses=refuses({409: "The job is expired, or too many are kept.", 422: "It is not said what to do."}),
    )
    async def keep_job(job_id: JobId, body: Keep, caller: Annotated[Caller, Depends(gate)]) -> Response:
        job = read_id(job_id)
        try:
            if body.keep:
                await keep(database, caller.workspace, job, most=storage.kept_jobs)
            else:
                await let_go(database, caller.workspace, job)
        except KeepRefused:
            raise Problem(409, "expired", "This job is expired; there is nothing left to keep.") from None
        except TooManyKept:
            most = storage.kept_jobs
            sentence = f"At most {most} jobs can be kept; let one of them go first."
            raise Problem(409, "too_many_kept", sentence, limit=most) from None
        row = await found(database, caller, job_id)
        return Response(to_json(views.job(row, await expected.of(row))), media_type="application/json")


async def storage_use(database: Database, storage: Storage, workspace: UUID) -> StorageUse:
    now, ended = await outlook(database)
    cap = storage.cap
    return StorageUse(
        used=now.used,
        going=now.going,
        cap=cap,
        free=None if cap is None else max(0, cap - now.used),
        makes_room_above=None if cap is None else int(HIGH * cap),
        makes_room_until=None if cap is None else int(LOW * cap),
        workspace=now.shares[workspace].used,
        by_kind=BytesByKind(**await bytes_by_kind(database, workspace)),
        next=[_next(one, workspace, len(now.shares)) for one in islice(in_turn(ended, now.shares), SHOWN)],
        kept=[KeptJob(**row) for row in await kept_jobs(database, workspace)],
        kept_most=storage.kept_jobs,
    )


def _next(one: Candidate, workspace: UUID, workspaces: int) -> NextToGo:
    """Whose it is stays with them, unless it is the caller's."""
    alone = "It ended before all the others."
    among = "It ended first in the workspace that uses most for its share."
    return NextToGo(
        job_id=one.job if one.workspace == workspace else None,
        bytes=one.bytes,
        ended_at=one.ended_at,
        expires_at=one.expires_at,
        why=alone if workspaces == 1 else among,
    )
