"""What the events say of the past that rows do not show any more: violations, as sentences."""

from datetime import timedelta

from retake.domain.states import ENDED
from retake.domain.timing import Timing
from retake.store.connect import Database


async def changed_after_the_end(database: Database) -> list[str]:
    """What has ended becomes expired, or is queued again by a retry; nothing else."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT job_id, was, became FROM (
                SELECT job_id, body ->> 'status' AS became,
                    lag(body ->> 'status') OVER (PARTITION BY job_id ORDER BY id) AS was
                FROM event WHERE kind = 'job'
            ) told
            WHERE was = ANY(%(ended)s) AND became = ANY(%(ended)s) AND (became <> 'expired' OR was = 'expired')
            """,
            {"ended": sorted(ENDED)},
        )
        return [
            f"job {row['job_id']} ended as {row['was']}, and then as {row['became']}" for row in await rows.fetchall()
        ]


async def published_twice(database: Database) -> list[str]:
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT body ->> 'videoId' AS video, body ->> 'index' AS index, count(*) AS times FROM event
            WHERE kind = 'variation' AND body ->> 'status' = 'completed' GROUP BY 1, 2 HAVING count(*) > 1
            """
        )
        return [
            f"take {row['index']} of video {row['video']} was published {row['times']} times"
            for row in await rows.fetchall()
        ]


async def committed_late(database: Database) -> list[str]:
    """Takes that show what was written under a claim after it was lost."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT v.video_id, v.index, v.claim FROM variation v
            JOIN event lost ON lost.kind = 'lost' AND (lost.body ->> 'claim')::bigint = v.claim
            JOIN event done ON done.kind = 'variation' AND done.body ->> 'status' = 'completed' AND done.id > lost.id
                AND done.body ->> 'videoId' = v.video_id::text AND (done.body ->> 'index')::integer = v.index
            """
        )
        return [
            f"take {row['index']} of video {row['video_id']} was committed after its claim {row['claim']} was lost"
            for row in await rows.fetchall()
        ]


async def not_stopped(database: Database, timing: Timing) -> list[str]:
    """Parts that run long after their job was cancelled, or wished away."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT p.id, p.worker, j.id AS job, j.wish FROM job j JOIN part p ON p.job_id = j.id
            WHERE j.wish IN ('cancel', 'expire') AND p.state = 'running' AND (
                SELECT max(at) FROM event WHERE job_id = j.id AND kind = 'wish') < now() - %s
            """,
            (timedelta(seconds=3 * timing.lease),),
        )
        return [
            f"part {row['id']} still runs on {row['worker']} although job {row['job']} has the wish {row['wish']}"
            for row in await rows.fetchall()
        ]
