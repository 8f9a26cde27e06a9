"""Looking at jobs: the list, one job with its videos and takes, its files page by page, one of them with its recipes.

What is unknown, malformed, deleted or somebody else's is the same 404.
"""

from hashlib import blake2b
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic_core import to_json

from retake.store.connect import Database
from retake.store.jobs import delete
from retake.store.views import FILES, Page, Row, is_job, job_view, summaries
from retake_api import views
from retake_api.auth import Caller, Gate
from retake_api.described import Answers, refuses
from retake_api.expected import Expected
from retake_api.filters import FILES_ASKED, JOBS_ASKED, read_files, read_jobs, write_cursor
from retake_api.problems import NothingHere
from retake_api.schemas import DeletedJob, FileId, Files, FileWithRecipes, Job, JobId, Summary

_UNCHANGED: Answers = {304: {"description": "It is as it was when its `ETag`, now in `If-None-Match`, was told."}}
_NOT_ASKED = refuses({400: "There is no such parameter, or it cannot have that value; `allowed` says what can be."})


def install(app: FastAPI, gate: Gate, database: Database, expected: Expected) -> None:
    _install_jobs(app, gate, database, expected)
    _install_files(app, gate, database)


def _install_jobs(app: FastAPI, gate: Gate, database: Database, expected: Expected) -> None:
    @app.get(
        "/api/jobs",
        summary="List jobs, newest first",
        tags=["jobs"],
        response_model=list[Summary],
        response_description='A page of them. `Link: <...>; rel="next"` names the next one, if there is one.',
        responses=_UNCHANGED | _NOT_ASKED,
        openapi_extra=JOBS_ASKED,
    )
    async def list_jobs(request: Request, caller: Annotated[Caller, Depends(gate)]) -> Response:
        asked = read_jobs(request.query_params)
        rows = await summaries(
            database, caller.workspace, limit=asked.limit + 1, before=asked.before, wanted=asked.wanted
        )
        told = [views.summary(row) for row in rows[: asked.limit]]
        answer = _json(request, told)
        if len(rows) > asked.limit:
            link = request.url.include_query_params(cursor=write_cursor(rows[asked.limit - 1]))
            answer.headers["Link"] = f'<{link.path}?{link.query}>; rel="next"'
        return answer

    @app.get(
        "/api/jobs/{job_id}",
        summary="One job, with its videos and their takes",
        tags=["jobs"],
        response_model=Job,
        response_description=f"As it is now, with its first {FILES} files.",
        responses=_UNCHANGED,
    )
    async def show_job(request: Request, job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        row = await found(database, caller, job_id)
        return _json(request, views.job(row, await expected.of(row)))

    @app.delete(
        "/api/jobs/{job_id}",
        summary="Delete a job and its takes",
        tags=["jobs"],
        status_code=202,
        response_model=DeletedJob,
        response_description="It is gone from now on; its bytes follow. Work on it stops.",
    )
    async def delete_job(job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        job = read_id(job_id)
        told = DeletedJob(job_id=job, status=await delete(database, job, caller.workspace))
        return JSONResponse(told.model_dump(mode="json", by_alias=True), 202)


def _install_files(app: FastAPI, gate: Gate, database: Database) -> None:
    @app.get(
        "/api/jobs/{job_id}/files",
        summary="The videos of a job, page by page",
        tags=["jobs"],
        response_model=Files,
        response_description="A page of them; one after the last is empty.",
        responses=_UNCHANGED | _NOT_ASKED,
        openapi_extra=FILES_ASKED,
    )
    async def list_files(request: Request, job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        asked = read_files(request.query_params)
        row = await found(database, caller, job_id, asked.asked())
        told = {
            "files": [views.file(row, video) for video in row["files"]],
            "page": asked.page,
            "perPage": asked.per_page,
            "total": row["matching"],
            "pages": -(-row["matching"] // asked.per_page),
        }
        return _json(request, told)

    @app.get(
        "/api/jobs/{job_id}/files/{file_id}",
        summary="One video of a job, with the recipes of its takes",
        tags=["jobs"],
        response_model=FileWithRecipes,
        response_description="As it is now.",
        responses=_UNCHANGED,
    )
    async def show_file(
        request: Request, job_id: JobId, file_id: FileId, caller: Annotated[Caller, Depends(gate)]
    ) -> Response:
        row = await found(database, caller, job_id, Page(only=read_id(file_id), recipes=True))
        if not row["files"]:
            raise NothingHere
        return _json(request, views.recipe_file(row, row["files"][0]))


async def found(database: Database, caller: Caller, job_id: str, page: Page = Page()) -> Row:  # noqa: B008  frozen
    """The caller's job of that id, or 404."""
    row = await job_view(database, caller.workspace, read_id(job_id), page)
    if row is None:
        raise NothingHere
    return row


async def own(database: Database, caller: Caller, job_id: str) -> UUID:
    """The id, if the caller has a job of that id; or 404."""
    job = read_id(job_id)
    if not await is_job(database, caller.workspace, job):
        raise NothingHere
    return job


def read_id(text: str) -> UUID:
    """Ids in the one form we write them in; anything else is no id of ours."""
    try:
        known = UUID(text)
    except ValueError:
        raise NothingHere from None
    if str(known) != text:
        raise NothingHere
    return known


def _json(request: Request, told: object) -> Response:
    """Or 304 for whoever has it already: people look at the same job again and again."""
    body = to_json(told)
    headers = {"ETag": f'"{blake2b(body, digest_size=16).hexdigest()}"', "Cache-Control": "private, no-cache"}
    known = request.headers.get("If-None-Match", "")
    if headers["ETag"] in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
