"""Reading jobs: the list, one job with its videos and takes, one video with its recipes.

What is unknown, malformed or somebody else's is the same 404.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, TypeAdapter

from retake.domain import distinct
from retake.store.connect import Database
from retake.store.views import Row, job_view, recipes, summaries
from retake_api.auth import Caller, Gate
from retake_api.described import refuses
from retake_api.problems import NothingHere, Problem
from retake_api.schemas import (
    Distinct,
    FileId,
    FileWithRecipes,
    FileWithVariations,
    Job,
    JobId,
    Summary,
    Variation,
    VariationWithRecipe,
)

_SUMMARIES = TypeAdapter(list[Summary])


def install(app: FastAPI, gate: Gate, database: Database) -> None:
    @app.get(
        "/api/jobs",
        summary="List jobs, newest first",
        tags=["jobs"],
        response_model=list[Summary],
        response_description='A page of them. `Link: <...>; rel="next"` names the next one, if there is one.',
        responses=refuses({400: "The cursor is none that a list of jobs gave."}),
    )
    async def list_jobs(
        request: Request,
        caller: Annotated[Caller, Depends(gate)],
        limit: Annotated[int, Query(ge=1, le=200, examples=[50])] = 50,
        cursor: Annotated[str | None, Query(description="From the `Link` of the page before.")] = None,
    ) -> Response:
        if unknown := sorted(set(request.query_params) - {"limit", "cursor"}):
            sentence = f"There is no parameter `{unknown[0][:100]}`; there are limit and cursor."
            raise Problem(422, "unknown_parameter", sentence, allowed=["limit", "cursor"])
        before = None if cursor is None else read_cursor(cursor)
        rows = await summaries(database, caller.workspace, limit=limit + 1, before=before)
        answer = Response(
            _SUMMARIES.dump_json([summary(row) for row in rows[:limit]], by_alias=True), media_type="application/json"
        )
        if len(rows) > limit:
            link = request.url.include_query_params(limit=limit, cursor=write_cursor(rows[limit - 1]))
            answer.headers["Link"] = f'<{link.path}?{link.query}>; rel="next"'
        return answer

    @app.get(
        "/api/jobs/{job_id}",
        summary="One job, with its videos and their takes",
        tags=["jobs"],
        response_model=Job,
        response_description="As it is now.",
    )
    async def show_job(job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        return _json(job(await found(database, caller, job_id)))

    @app.get(
        "/api/jobs/{job_id}/files/{file_id}",
        summary="One video of a job, with the recipes of its takes",
        tags=["jobs"],
        response_model=FileWithRecipes,
        response_description="As it is now.",
    )
    async def show_file(job_id: JobId, file_id: FileId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        row = await found(database, caller, job_id)
        video = next((one for one in row["videos"] if one["id"] == file_id), None)
        if video is None:
            raise NothingHere
        return _json(recipe_file(row, video, await recipes(database, UUID(file_id))))


async def found(database: Database, caller: Caller, job_id: str) -> Row:
    """The caller's job of that id, or 404."""
    row = await job_view(database, caller.workspace, read_id(job_id))
    if row is None:
        raise NothingHere
    return row


def read_id(text: str) -> UUID:
    """Ids in the one form we write them in; anything else is no id of ours."""
    try:
        known = UUID(text)
    except ValueError:
        raise NothingHere from None
    if str(known) != text:
        raise NothingHere
    return known


def write_cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row['created_at'].isoformat()} {row['id']}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, UUID]:
    try:
        at, _, job_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError(at)
        return when, UUID(job_id)
    except (ValueError, binascii.Error):
        raise Problem(400, "invalid_cursor", "This cursor is none that a list of jobs gave.") from None


def _json(shape: BaseModel) -> Response:
    return Response(shape.model_dump_json(by_alias=True), media_type="application/json")


def summary(row: Row) -> Summary:
    return Summary(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        status=row["state"],
        total_videos=row["videos"],
        total_variations=row["videos"] * row["variations"],
        completed_variations=row["completed"],
        failed_variations=row["failed"] + row["barren"] * row["variations"],
        progress=_rounded(row["progress"]),
        file_names=row["names"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        expires_at=row["expires_at"],
        expired_because=row["expired_because"],
    )


def job(row: Row) -> Job:
    files = [file(video, row["variations"]) for video in row["videos"]]
    code, why = _why(row["state"], files)
    return Job(
        job_id=row["id"],
        name=row["name"],
        kind=row["kind"],
        status=row["state"],
        wish=row["wish"],
        total_videos=len(files),
        failed_videos=sum(one.status == "failed" for one in files),
        variations_per_video=row["variations"],
        total_variations=row["variations"] * len(files),
        completed_variations=sum(one.completed_variations for one in files),
        failed_variations=sum(one.failed_variations for one in files),
        progress=_rounded(sum(one.progress for one in files) / len(files)),
        seed=row["seed"],
        distinct=_distinct(row["videos"]),
        files=files,
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        expires_at=row["expires_at"],
        expired_because=row["expired_because"],
        error=why,
        error_code=code,
    )


def file(video: Mapping[str, Any], wanted: int) -> FileWithVariations:
    """`wanted` variations all count as failed when the video failed before it had any."""
    takes = _takes(video)
    return FileWithVariations(**_file_fields(video, takes, wanted), variations=takes)


def recipe_file(row: Row, video: Mapping[str, Any], recipe_of: Mapping[int, Any]) -> FileWithRecipes:
    takes = _takes(video)
    shown = [VariationWithRecipe(**vars(take), recipe=recipe_of[take.index]) for take in takes]
    return FileWithRecipes(**_file_fields(video, takes, row["variations"]), job_id=row["id"], variations=shown)


def variation(take: Mapping[str, Any], due: int) -> Variation:
    """`due` is how many frames its video has. It is done when it is committed, not when its last frame is."""
    working = take["state"] == "queued" and take["frames"] is not None
    return Variation(
        index=take["index"],
        status="processing" if working else take["state"],
        progress=_rounded(min(0.99, take["frames"] / max(1, due))) if working else float(take["state"] == "completed"),
        size=take["size"],
        duration=take["duration"],
        distance=take["distance"],
        error=take["error"],
        error_code=take["error_code"],
    )


def _takes(video: Mapping[str, Any]) -> list[Variation]:
    return [variation(take, (video["probe"] or {}).get("frames", 0)) for take in video["takes"]]


def _file_fields(video: Mapping[str, Any], takes: Sequence[Variation], wanted: int) -> dict[str, Any]:
    probe = video["probe"] or {}
    failed = wanted if video["state"] == "failed" and not takes else sum(take.status == "failed" for take in takes)
    return {
        "id": video["id"],
        "name": video["name"],
        "size": video["size"],
        "status": video["state"],
        "progress": _rounded(video["progress"]),
        "sha256": video["sha256"],
        **{fact: probe.get(fact) for fact in ("duration", "width", "height")},
        "fps": round(float(Fraction(probe["fps"])), 3) if "fps" in probe else None,
        "distinct": _distinct([video]),
        "completed_variations": sum(take.status == "completed" for take in takes),
        "failed_variations": failed,
        "error": video["error"],
        "error_code": video["error_code"],
    }


def _distinct(videos: Sequence[Mapping[str, Any]]) -> Distinct | None:
    found = distinct.shown([video["distinctness"] for video in videos if video["distinctness"] is not None])
    return None if found is None else Distinct(**found)


def _why(state: str, files: Sequence[FileWithVariations]) -> tuple[str, str] | tuple[None, None]:
    """Code and sentence of a job that failed: its only video's first reason, or that they all have one."""
    if state != "failed":
        return None, None
    if len(files) == 1:
        only = files[0]
        reasons = [(only.error_code, only.error), *((take.error_code, take.error) for take in only.variations)]
        for code, sentence in reasons:
            if code and sentence:
                return code, sentence
    return "all_failed", f"None of the {len(files)} videos could be used; each says why."


def _rounded(progress: float) -> float:
    """To thousandths, downwards, so that 1 means done; but not for what single precision lacks."""
    return int(progress * 1000 + 1e-3) / 1000
