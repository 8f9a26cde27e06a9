"""What happened, counted from the event log: each event once, whoever counts, and however many do.

The counts and the place that was counted to move in one transaction, so they are exact and go back for nobody's death.
The moves themselves know nothing of it, and pay nothing. Events are kept for a week: somebody has to look that often.
"""

from collections.abc import Sequence

from retake.store.connect import Connection, Database

Tally = dict[str, dict[tuple[str, ...], float]]
"""By what happened and its labels, in the words of the statement below."""

MOST = 10_000
"""Events of one workspace that are counted at once; the rest has its turn at the next look."""


async def tally(database: Database, bounds: Sequence[float]) -> Tally:
    """Counts on, unless another does so just now, and tells all counts. Times are counted in buckets that end at
    `bounds`."""
    async with database.transaction(patience=2) as connection:
        rows = await connection.execute("SELECT pg_try_advisory_xact_lock(3, 0) AS ours")
        row = await rows.fetchone()
        if row and row["ours"]:
            await _count_on(connection, bounds)
        rows = await connection.execute("SELECT what, labels, n FROM tally")
        found: Tally = {}
        for row in await rows.fetchall():
            found.setdefault(row["what"], {})[tuple(row["labels"])] = row["n"]
        return found


async def _count_on(connection: Connection, bounds: Sequence[float]) -> None:
    await connection.execute(
        """
        WITH new AS MATERIALIZED (
            SELECT e.*, e.body ->> 'status' AS status, e.body ->> 'code' AS code
            FROM workspace w CROSS JOIN LATERAL (
                SELECT * FROM event WHERE workspace = w.id AND id > w.tallied_to ORDER BY id LIMIT %(most)s) e),
        moved AS (
            UPDATE workspace w SET tallied_to = last.id
            FROM (SELECT workspace, max(id) AS id FROM new GROUP BY workspace) last WHERE w.id = last.workspace),
        accepted AS (
            SELECT new.job_id FROM new WHERE kind = 'job' AND status = 'queued'
                AND NOT EXISTS (SELECT FROM event WHERE job_id = new.job_id AND id < new.id)),
        finished AS (
            SELECT new.job_id, new.id, new.at, take.size, take.duration
            FROM new LEFT JOIN variation take
                ON take.video_id = (new.body ->> 'videoId')::uuid AND take.index = (new.body ->> 'index')::integer
            WHERE kind = 'variation' AND status = 'completed'),
        waits AS (
            SELECT 'first_take' AS what, extract(epoch FROM one.at - job.created_at) AS seconds
            FROM finished one JOIN job ON job.id = one.job_id WHERE NOT EXISTS (
                SELECT FROM event WHERE job_id = one.job_id AND id < one.id
                    AND kind = 'variation' AND body ->> 'status' = 'completed')
            UNION ALL
            SELECT 'job', extract(epoch FROM one.at - job.created_at)
            FROM new one JOIN job ON job.id = one.job_id
            WHERE one.kind = 'job' AND one.status = 'completed' AND NOT EXISTS (
                SELECT FROM event WHERE job_id = one.job_id AND id < one.id AND kind = 'job'
                    AND body ->> 'status' IN ('completed', 'failed', 'cancelled'))),
        told (what, labels, n) AS (
            SELECT 'jobs_accepted', '{}'::text[], 1::float8 FROM accepted
            UNION ALL SELECT 'videos_accepted', '{}', 1 FROM accepted JOIN video USING (job_id)
            UNION ALL SELECT 'bytes_accepted', '{}', s.size
                FROM accepted JOIN video v USING (job_id) JOIN source s ON s.id = v.source_id
            UNION ALL SELECT 'jobs_ended', ARRAY[status], 1 FROM new
                WHERE kind = 'job' AND status IN ('completed', 'failed', 'cancelled')
            UNION ALL SELECT 'jobs_expired', ARRAY[body ->> 'because'], 1 FROM new
                WHERE kind = 'wish' AND body ->> 'wish' = 'expire'
            UNION ALL SELECT 'videos_failed', ARRAY[code], 1 FROM new
                WHERE kind = 'video' AND status = 'failed' AND code IS NOT NULL
            UNION ALL SELECT 'takes_failed', ARRAY[code], 1 FROM new WHERE kind = 'variation' AND status = 'failed'
            UNION ALL SELECT 'takes_completed', '{}', 1 FROM finished
            UNION ALL SELECT 'take_bytes', '{}', coalesce(size, 0) FROM finished
            UNION ALL SELECT 'take_seconds', '{}', coalesce(duration, 0) FROM finished
            UNION ALL SELECT 'parts_lost', '{}', 1 FROM new WHERE kind = 'lost'
            UNION ALL SELECT what || '_seconds', '{}', seconds FROM waits
            UNION ALL SELECT what || '_within', ARRAY[
                    (%(bounds)s || 'Infinity'::float8)[width_bucket(seconds::float8, %(bounds)s) + 1]::text], 1
                FROM waits)
        INSERT INTO tally SELECT what, labels, sum(n) FROM told GROUP BY what, labels
        ON CONFLICT (what, labels) DO UPDATE SET n = tally.n + excluded.n
        """,
        {"most": MOST, "bounds": list(bounds)},
    )
