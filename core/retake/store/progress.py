"""How far a video is: frames done of frames due, over all its takes.

A take that ended counts whole, however it ended; one in work counts by the frames its worker told. What is stored never
falls, also when a lost part starts anew; only a person's retry lowers it (retrying.py).
"""

from collections.abc import Collection
from uuid import UUID

from retake.store.connect import Connection


async def note_progress(connection: Connection, videos: Collection[UUID]) -> dict[UUID, float]:
    """The last thing that is written of these videos; their parts are locked before, here as everywhere."""
    rows = await connection.execute(
        """
        UPDATE video SET progress = greatest(video.progress, far.share)
        FROM (
            SELECT v.id, avg(CASE WHEN take.state <> 'queued' THEN 1 ELSE least(1, coalesce(
                (SELECT max((part.frames ->> take.index::text)::real) FROM part
                 WHERE part.video_id = v.id AND take.index = ANY(part.indices)), 0)
                / greatest(1, (v.probe ->> 'frames')::real)) END)::real AS share
            FROM video v JOIN variation take ON take.video_id = v.id WHERE v.id = ANY(%s) GROUP BY v.id
        ) far
        WHERE video.id = far.id RETURNING video.id, video.progress
        """,
        (list(videos),),
    )
    return {row["id"]: row["progress"] for row in await rows.fetchall()}
