"""Rows as the API tells them: a job, its files, their variations.

What stands here is what goes out: plain dictionaries with the names of the wire, since people look at hundreds of takes
again and again and models would cost more than all the rest. The shapes in schemas.py describe them, and the tests
hold them to it.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from retake.domain import distinct
from retake.domain.errors import FAILURES
from retake.domain.forecast import Outlook
from retake.domain.states import ENDED
from retake.store.views import Row
from retake_api.addresses import address
from retake_api.options import USUAL_PRIORITY

Told = dict[str, Any]

FINAL = frozenset(failure.code for failure in FAILURES if failure.final)


def summary(row: Row) -> Told:
    return {
        "id": row["id"],
        "name": row["name"],
        "kind": row["kind"],
        "status": row["state"],
        "totalVideos": row["videos"],
        "totalVariations": row["videos"] * row["variations"],
        "completedVariations": row["completed"],
        "failedVariations": row["failed"],
        "progress": _rounded(row["progress"]),
        "fileNames": row["names"],
        "thumbnailUrl": f"{_file_url(row, row['pictured'])}/thumbnail" if row["pictured"] and _kept(row) else None,
        "createdAt": row["created_at"],
        "endedAt": row["ended_at"],
        "expiresAt": row["expires_at"],
        "expiredBecause": row["expired_because"],
        "kept": row["kept"],
    }


def job(row: Row, outlook: Outlook) -> Told:
    files = [file(row, video) for video in row["files"]]
    code, why = _why(row, files)
    return {
        "jobId": row["id"],
        "name": row["name"],
        "kind": row["kind"],
        "status": row["state"],
        "wish": row["wish"],
        "totalVideos": row["videos"],
        "failedVideos": row["failed_videos"],
        "variationsPerVideo": row["variations"],
        "totalVariations": row["videos"] * row["variations"],
        "completedVariations": row["completed"],
        "failedVariations": row["failed"],
        "progress": _rounded(row["progress"]),
        "etaSeconds": None if outlook.seconds is None else round(outlook.seconds),
        "queuePosition": outlook.position,
        "seed": row["seed"],
        "priority": row["priority"] or USUAL_PRIORITY,
        "distinct": _distinct(row["files"]),
        "files": files,
        "createdAt": row["created_at"],
        "startedAt": row["started_at"],
        "endedAt": row["ended_at"],
        "expiresAt": row["expires_at"],
        "expiredBecause": row["expired_because"],
        "kept": row["kept"],
        "error": why,
        "errorCode": code,
    }


def file(row: Row, video: Mapping[str, Any]) -> Told:
    return _file(row, video, _takes(row, video))


def recipe_file(row: Row, video: Mapping[str, Any]) -> Told:
    takes = _takes(row, video)
    for told, take in zip(takes, video["takes"], strict=True):
        told |= {"recipe": take["recipe"], "engine": take["engine"]}
    return {**_file(row, video, takes), "jobId": row["id"]}


def _takes(row: Row, video: Mapping[str, Any]) -> list[Told]:
    due = (video["probe"] or {}).get("frames", 0)
    frames = {index: done for part in video["frames"] or () for index, done in part.items()}
    address = f"{_file_url(row, video['id'])}/variations" if _kept(row) else None
    return [_take(take, frames.get(str(take["index"])), due, address) for take in video["takes"]]


def _take(take: Mapping[str, Any], frames: int | None, due: int, address: str | None) -> Told:
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
        "thumbnailUrl": f"{url}/thumbnail" if url and take["pictured"] else None,
        "error": take["error"],
        "errorCode": take["error_code"],
    }


def _file(row: Row, video: Mapping[str, Any], takes: Sequence[Told]) -> Told:
    """All that were wanted count as failed when the video failed before it had any."""
    probe = video["probe"] or {}
    barren = video["state"] == "failed" and not takes
    kept = video["source_kept"] and _kept(row)
    return {
        "id": video["id"],
        "name": video["name"],
        "size": video["size"],
        "status": video["state"],
        "progress": _rounded(video["progress"]),
        "sha256": video["sha256"],
        "sourceKept": kept,
        "retriable": kept and _may_come_out(video),
        **{fact: probe.get(fact) for fact in ("duration", "width", "height")},
        "fps": round(float(Fraction(probe["fps"])), 3) if "fps" in probe else None,
        "distinct": _distinct([video]),
        "thumbnailUrl": f"{_file_url(row, video['id'])}/thumbnail" if video["pictured"] and _kept(row) else None,
        "completedVariations": sum(take["status"] == "completed" for take in takes),
        "failedVariations": row["variations"] if barren else sum(take["status"] == "failed" for take in takes),
        "error": video["error"],
        "errorCode": video["error_code"],
        "variations": takes,
    }


def _may_come_out(video: Mapping[str, Any]) -> bool:
    """Something of it is missing for another reason than the file itself."""
    if video["state"] not in ENDED:
        return False
    if video["error_code"] is not None or not video["takes"]:
        return video["error_code"] not in FINAL
    return any(take["state"] != "completed" and take["error_code"] not in FINAL for take in video["takes"])


def _distinct(videos: Sequence[Mapping[str, Any]]) -> Told | None:
    found = distinct.shown([video["distinctness"] for video in videos if video["distinctness"] is not None])
    return found and {"nearPairs": found["near_pairs"], "kept": found["kept"], "note": found["note"]}


def _kept(row: Row) -> bool:
    """Its bytes are neither gone nor going."""
    return row["expired_because"] is None


def _file_url(row: Row, video: Any) -> str:
    return address(f"/api/jobs/{row['id']}/files/{video}")


def _why(row: Row, files: Sequence[Told]) -> tuple[str, str] | tuple[None, None]:
    """Code and sentence of a job that failed: its only video's first reason, or that they all have one."""
    if row["state"] != "failed":
        return None, None
    if row["videos"] == 1:
        only = files[0]
        reasons = [(one["errorCode"], one["error"]) for one in (only, *only["variations"])]
        for code, sentence in reasons:
            if code and sentence:
                return code, sentence
    return "all_failed", f"None of the {row['videos']} videos could be used; each says why."


def _rounded(progress: float) -> float:
    """To thousandths, downwards, so that 1 means done; but not for what single precision lacks."""
    return int(progress * 1000 + 1e-3) / 1000
