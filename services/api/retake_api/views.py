"""Rows as the API tells them: a job, its files, their variations."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from retake.domain import distinct
from retake.domain.forecast import Outlook
from retake.store.views import Row
from retake_api.addresses import address
from retake_api.schemas import Distinct, FileWithRecipes, FileWithVariations, Job, Summary


def summary(row: Row) -> Summary:
    return Summary(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        status=row["state"],
        total_videos=row["videos"],
        total_variations=row["videos"] * row["variations"],
        completed_variations=row["completed"],
        failed_variations=row["failed"],
        progress=_rounded(row["progress"]),
        file_names=row["names"],
        thumbnail_url=f"{_file_url(row, row['pictured'])}/thumbnail" if row["pictured"] and _kept(row) else None,
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        expires_at=row["expires_at"],
        expired_because=row["expired_because"],
        kept=row["kept"],
    )


def job(row: Row, outlook: Outlook) -> Job:
    files = [file(row, video) for video in row["files"]]
    code, why = _why(row, files)
    return Job(
        job_id=row["id"],
        name=row["name"],
        kind=row["kind"],
        status=row["state"],
        wish=row["wish"],
        total_videos=row["videos"],
        failed_videos=row["failed_videos"],
        variations_per_video=row["variations"],
        total_variations=row["videos"] * row["variations"],
        completed_variations=row["completed"],
        failed_variations=row["failed"],
        progress=_rounded(row["progress"]),
        eta_seconds=None if outlook.seconds is None else round(outlook.seconds),
        queue_position=outlook.position,
        seed=row["seed"],
        distinct=_distinct(row["files"]),
        files=files,
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        expires_at=row["expires_at"],
        expired_because=row["expired_because"],
        kept=row["kept"],
        error=why,
        error_code=code,
    )


def file(row: Row, video: Mapping[str, Any]) -> FileWithVariations:
    return FileWithVariations.model_validate(_file_fields(row, video, _takes(row, video)))


def recipe_file(row: Row, video: Mapping[str, Any]) -> FileWithRecipes:
    takes = _takes(row, video)
    for fields, take in zip(takes, video["takes"], strict=True):
        fields |= {"recipe": take["recipe"], "engine": take["engine"]}
    return FileWithRecipes.model_validate({**_file_fields(row, video, takes), "job_id": row["id"]})


def _takes(row: Row, video: Mapping[str, Any]) -> list[dict[str, Any]]:
    due = (video["probe"] or {}).get("frames", 0)
    frames = ChainMap(*(video["frames"] or ()))
    address = f"{_file_url(row, video['id'])}/variations" if _kept(row) else None
    return [_take_fields(take, frames.get(str(take["index"])), due, address) for take in video["takes"]]


def _take_fields(take: Mapping[str, Any], frames: int | None, due: int, address: str | None) -> dict[str, Any]:
    """`frames` of `due` are rendered. It is done when it is committed, not when its last frame is."""
    working = take["state"] == "queued" and frames is not None
    completed = take["state"] == "completed"
    url = f"{address}/{take['index']}" if completed and address else None
    return {
        "index": take["index"],
        "status": "processing" if working else take["state"],
        "progress": _rounded(min(0.99, (frames or 0) / max(1, due))) if working else float(completed),
        "size": take["size"],
        "duration": take["duration"],
        "distance": take["distance"],
        "url": url,
        "thumbnail_url": f"{url}/thumbnail" if url and take["pictured"] else None,
        "error": take["error"],
        "error_code": take["error_code"],
    }


def _file_fields(row: Row, video: Mapping[str, Any], takes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All that were wanted count as failed when the video failed before it had any."""
    probe = video["probe"] or {}
    barren = video["state"] == "failed" and not takes
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
        "thumbnail_url": f"{_file_url(row, video['id'])}/thumbnail" if video["pictured"] and _kept(row) else None,
        "completed_variations": sum(take["status"] == "completed" for take in takes),
        "failed_variations": row["variations"] if barren else sum(take["status"] == "failed" for take in takes),
        "error": video["error"],
        "error_code": video["error_code"],
        "variations": takes,
    }


def _distinct(videos: Sequence[Mapping[str, Any]]) -> Distinct | None:
    found = distinct.shown([video["distinctness"] for video in videos if video["distinctness"] is not None])
    return None if found is None else Distinct(**found)


def _kept(row: Row) -> bool:
    """Its bytes are neither gone nor going."""
    return row["expired_because"] is None


def _file_url(row: Row, video: Any) -> str:
    return address(f"/api/jobs/{row['id']}/files/{video}")


def _why(row: Row, files: Sequence[FileWithVariations]) -> tuple[str, str] | tuple[None, None]:
    """Code and sentence of a job that failed: its only video's first reason, or that they all have one."""
    if row["state"] != "failed":
        return None, None
    if row["videos"] == 1:
        only = files[0]
        reasons = [(only.error_code, only.error), *((take.error_code, take.error) for take in only.variations)]
        for code, sentence in reasons:
            if code and sentence:
                return code, sentence
    return "all_failed", f"None of the {row['videos']} videos could be used; each says why."


def _rounded(progress: float) -> float:
    """To thousandths, downwards, so that 1 means done; but not for what single precision lacks."""
    return int(progress * 1000 + 1e-3) / 1000
