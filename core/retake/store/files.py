"""Single files of a job: one take, one source, a thumbnail. What a workspace does not have, or deleted, is JobGone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from retake.domain.states import VariationState
from retake.store.connect import Connection, Database
from retake.store.move import JobGone
from retake.store.results import Expired
from retake.store.sources import SourceGone


@dataclass(frozen=True)
class TakeFile:
    """One variation as it stands; key and size are there when it is completed. `position` counts videos from 0."""

    sources: Sequence[str]
    position: int
    variations: int
    state: VariationState
    error: str | None
    key: str | None
    size: int | None
    thumb_key: str | None


@dataclass(frozen=True)
class SourceFile:
    """`chunks` are keys and sizes, in order."""

    id: UUID
    name: str
    chunks: Sequence[tuple[str, int]]


async def take_file(database: Database, workspace: UUID, job: UUID, video: UUID, index: int) -> TakeFile:
    """Also of a take that is not planned yet: it is queued."""
    async with database.transaction() as connection:
        row = await _there(
            connection,
            """
            SELECT j.expired_because, j.variations, v.position, a.error, a.key, a.size, a.thumb_key,
                coalesce(a.state, 'queued') AS state,
                ARRAY(SELECT name FROM video WHERE job_id = j.id ORDER BY position) AS sources
            FROM job j JOIN video v ON v.job_id = j.id
            LEFT JOIN variation a ON a.video_id = v.id AND a.index = %(index)s
            WHERE j.id = %(job)s AND j.workspace = %(workspace)s AND v.id = %(video)s
                AND %(index)s BETWEEN 1 AND j.variations
            """,
            {"workspace": workspace, "job": job, "video": video, "index": index},
        )
        return TakeFile(**{**row, "state": VariationState(row["state"])})


async def thumb_key(database: Database, workspace: UUID, job: UUID, video: UUID) -> str | None:
    """Of a video; None when it has no thumbnail (yet)."""
    async with database.transaction() as connection:
        row = await _there(
            connection,
            """
            SELECT j.expired_because, v.thumb_key FROM job j JOIN video v ON v.job_id = j.id
            WHERE j.id = %(job)s AND j.workspace = %(workspace)s AND v.id = %(video)s
            """,
            {"workspace": workspace, "job": job, "video": video},
        )
        key: str | None = row["thumb_key"]
        return key


async def source_file(database: Database, workspace: UUID, job: UUID, video: UUID) -> SourceFile:
    """SourceGone when no video needed it any more."""
    async with database.transaction() as connection:
        row = await _there(
            connection,
            """
            SELECT j.expired_because, v.name, s.id, s.state
            FROM job j JOIN video v ON v.job_id = j.id JOIN source s ON s.id = v.source_id
            WHERE j.id = %(job)s AND j.workspace = %(workspace)s AND v.id = %(video)s
            """,
            {"workspace": workspace, "job": job, "video": video},
        )
        if row["state"] != "ready":
            raise SourceGone
        chunks = await connection.execute(
            "SELECT key, size FROM chunk WHERE source_id = %s AND state = 'done' ORDER BY n", (row["id"],)
        )
        return SourceFile(row["id"], row["name"], [(chunk["key"], chunk["size"]) for chunk in await chunks.fetchall()])


async def _there(connection: Connection, query: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The one row, but for why its job expired."""
    rows = await connection.execute(query.encode(), values)
    row = await rows.fetchone()
    if row is None or (because := row.pop("expired_because")) == "deleted":
        raise JobGone
    if because is not None:
        raise Expired(because)
    return row
