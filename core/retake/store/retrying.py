"""Retry: a person tries again what failed or was cancelled. A move by rule 0 (move.py)."""

from typing import Any
from uuid import UUID

from retake.domain.states import ENDED, State, Wish
from retake.store.connect import Database
from retake.store.move import Move, moving
from retake.store.room import admit
from retake.store.sources import SourceGone, estimate, lock_ready_sources


class NothingToRetry(Exception):
    """Nothing here failed or was cancelled, or it has not ended yet."""

    def __init__(self, state: State) -> None:
        super().__init__(f"the job is {state}")
        self.state = state


async def retry(
    database: Database,
    job: UUID,
    video: UUID | None = None,
    *,
    workspace: UUID | None = None,
    cap: int | None = None,
) -> State:
    """Queues again what failed or was cancelled, of one video or of all; the counters start anew.

    1. Only videos that ended are touched, and a cancelled job only once it has ended. 2. Their sources are locked; a
    video whose source is gone stays as it is. 3. What their takes may need fits under the cap, as at accept. 4. Failed
    and cancelled takes, and the parts that hold them, are queued; the inspect part only where there are no takes yet.
    """
    async with moving(database, job, workspace) as move:
        if move.job.wish is Wish.EXPIRE or (move.job.wish is Wish.CANCEL and move.job.state not in ENDED):
            raise NothingToRetry(move.job.state)
        videos = await _retryable(move, video)
        if not videos:
            raise NothingToRetry(move.job.state)
        sizes = await lock_ready_sources(move.connection, move.job.workspace, {row["source_id"] for row in videos})
        videos = [row for row in videos if row["source_id"] in sizes]
        if not videos:
            raise SourceGone
        await admit(move.connection, sum(estimate(sizes[row["source_id"]], row["again"]) for row in videos), cap)
        if move.job.state in ENDED and move.job.wish is not Wish.RUN:
            await move.wish(Wish.RUN)
        for row in videos:
            await _requeue_video(move, row["id"], estimate(sizes[row["source_id"]]))
    return move.job.state


async def _retryable(move: Move, video: UUID | None) -> list[dict[str, Any]]:
    rows = await move.connection.execute(
        """
        SELECT v.id, v.source_id, takes.again FROM video v JOIN job j ON j.id = v.job_id
        CROSS JOIN LATERAL (
            SELECT CASE WHEN count(*) = 0 THEN j.variations
                ELSE count(*) FILTER (WHERE state IN ('failed', 'cancelled')) END AS again
            FROM variation WHERE video_id = v.id
        ) takes
        WHERE v.job_id = %(job)s AND (%(video)s::uuid IS NULL OR v.id = %(video)s)
            AND v.state IN ('completed', 'failed', 'cancelled')
            AND (v.error_code IS NOT NULL
                OR EXISTS (SELECT FROM part WHERE video_id = v.id AND kind = 'inspect' AND state = 'cancelled')
                OR EXISTS (SELECT FROM variation WHERE video_id = v.id AND state IN ('failed', 'cancelled')))
        ORDER BY v.source_id
        """,
        {"job": move.job.id, "video": video},
    )
    return await rows.fetchall()


async def _requeue_video(move: Move, video: UUID, reserve: int) -> None:
    rows = await move.connection.execute(
        """
        UPDATE variation SET state = 'queued', error_code = NULL, error = NULL, losses = 0, reserved = %s
        WHERE video_id = %s AND state IN ('failed', 'cancelled') RETURNING index
        """,
        (reserve, video),
    )
    indices = [row["index"] for row in await rows.fetchall()]
    move.charge(reserve * len(indices))
    await move.connection.execute(
        """
        UPDATE part SET state = 'queued', generation = generation + 1, announcements = 0, announced_at = NULL,
            failures = 0, releases = 0, not_before = now()
        WHERE video_id = %(video)s AND state IN ('done', 'cancelled') AND (indices && %(indices)s::integer[]
            OR (kind = 'inspect' AND NOT EXISTS (SELECT FROM variation WHERE video_id = %(video)s)))
        """,
        {"video": video, "indices": indices},
    )
    rows = await move.connection.execute(
        """
        UPDATE video v SET error_code = NULL, error = NULL,
            reserved = CASE WHEN %(takes)s THEN 0 ELSE %(reserve)s * j.variations END,
            progress = (SELECT count(*) FILTER (WHERE state = 'completed')::real / greatest(count(*), 1)
                        FROM variation WHERE video_id = v.id)
        FROM job j WHERE v.id = %(video)s AND j.id = v.job_id RETURNING v.reserved
        """,
        {"video": video, "takes": bool(indices), "reserve": reserve},
    )
    row = await rows.fetchone()
    assert row is not None
    move.charge(row["reserved"])
    move.touch(video)
