"""How far a video is: frames done of frames due over all its takes, where a take that ended counts whole.

It is stored because it must not go back when a worker is lost with the frames it had done; only a retry lowers it.
"""

from uuid import UUID

from retake.store.connect import Connection


async def raise_progress(connection: Connection, video: UUID) -> None:
    await connection.execute(
        """
        UPDATE video SET progress = now.share
        FROM (
            SELECT avg(CASE WHEN a.state <> 'queued' THEN 1 ELSE take_share(a.video_id, a.index) END)::real AS share
            FROM variation a WHERE a.video_id = %(video)s
        ) AS now
        WHERE video.id = %(video)s AND now.share > video.progress
        """,
        {"video": video},
    )
