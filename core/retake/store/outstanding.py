"""The work that may be done now, in the words of domain/forecast.py, and how many slots there are for it."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import Any

from retake.domain.forecast import Outstanding
from retake.domain.timing import Timing
from retake.domain.work import SLICE_TAKES
from retake.store.connect import Connection, Database
from retake.store.pace import INSPECT, PLAN, corrections, unseen

MOST = 500
"""Jobs that are looked at, oldest first. Who comes after so many is told nothing yet."""

_USUAL_PROFILE = "fast"


async def outstanding(database: Database, timing: Timing) -> tuple[list[Outstanding], int]:
    """Oldest first. What is guessed of a video is replaced by its plan, and that by what is left of it."""
    async with database.transaction() as connection:
        factors = await corrections(connection)
        rows = await connection.execute(
            """
            SELECT j.id, j.workspace, w.weight, j.priority, j.state, j.variations, j.options ->> 'profile' AS profile,
                   coalesce(sum(v.cost * (1 - v.progress)), 0) AS planned,
                   count(*) FILTER (WHERE v.cost IS NULL) AS unseen,
                   coalesce(sum(s.size) FILTER (WHERE v.cost IS NULL), 0)::bigint AS bytes,
                   (SELECT count(*) FROM part WHERE job_id = j.id AND state IN ('queued', 'running')) AS parts
            FROM (
                SELECT * FROM job WHERE state IN ('queued', 'processing') AND wish = 'run'
                ORDER BY created_at, id LIMIT %s
            ) j
            JOIN workspace w ON w.id = j.workspace
            JOIN video v ON v.job_id = j.id AND v.state IN ('queued', 'processing')
            JOIN source s ON s.id = v.source_id
            GROUP BY j.id, j.workspace, w.weight, j.priority, j.state, j.variations, j.options, j.created_at
            ORDER BY j.created_at, j.id
            """,
            (MOST,),
        )
        return [_left(row, factors) for row in await rows.fetchall()], await _slots(connection, timing)


async def depth(database: Database) -> dict[str, int]:
    """Parts that are worked on, and parts that could be: by their sum a cluster scales its workers."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT count(*) FILTER (WHERE p.state = 'queued') AS queued,
                   count(*) FILTER (WHERE p.state = 'running') AS running
            FROM part p JOIN job j ON j.id = p.job_id
            WHERE p.state = 'running' OR (p.state = 'queued' AND j.wish = 'run')
            """
        )
        row = await rows.fetchone()
        assert row is not None
        return {**row, "parts": row["queued"] + row["running"]}


def _left(row: Mapping[str, Any], factors: Mapping[str, float]) -> Outstanding:
    look = unseen(row["unseen"], row["bytes"], row["variations"])
    takes = row["planned"] + look[PLAN] * factors.get(PLAN, 1)
    profile = row["profile"] or _USUAL_PROFILE
    return Outstanding(
        job=row["id"],
        workspace=row["workspace"],
        weight=row["weight"],
        priority=row["priority"],
        untouched=row["state"] == "queued",
        seconds=look[INSPECT] * factors.get(INSPECT, 1) + takes * factors.get(profile, 1),
        parts=row["parts"] + row["unseen"] * ceil(row["variations"] / SLICE_TAKES),
    )


async def _slots(connection: Connection, timing: Timing) -> int:
    rows = await connection.execute(
        "SELECT coalesce(sum(slots), 0)::integer AS n FROM worker WHERE gone_at IS NULL AND seen_at > now() - %s",
        (timedelta(seconds=timing.worker_alive),),
    )
    row = await rows.fetchone()
    assert row is not None
    slots: int = row["n"]
    return slots
