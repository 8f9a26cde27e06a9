"""Rule 5: a worker says that it lives and how far it is, and hears what the person wants by now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.domain.work import Claim
from retake.store.connect import Database
from retake.store.move import LeaseLost
from retake.store.progress import note_progress


@dataclass(frozen=True)
class Beat:
    """What a heartbeat brings back: what the person wants by now, and what there is to tell of the video."""

    wish: Wish
    workspace: UUID
    progress: float
    due: int


async def heartbeat(database: Database, claimed: Claim, frames: Mapping[int, int], timing: Timing) -> Beat:
    """Without the job's lock. The part first, then its video: moves lock them in that order too."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE part SET lease_until = now() + %s, frames = %s
            FROM job, video
            WHERE part.id = %s AND claim = %s AND part.state = 'running' AND job.id = part.job_id
                AND video.id = part.video_id
            RETURNING job.wish, job.workspace, video.progress, coalesce((video.probe ->> 'frames')::integer, 0) AS due
            """,
            (timedelta(seconds=timing.lease), Jsonb(dict(frames)), claimed.part, claimed.number),
        )
        row = await rows.fetchone()
        if row is None:
            raise LeaseLost
        told = await note_progress(connection, [claimed.video]) if frames else {}
    return Beat(Wish(row["wish"]), row["workspace"], told.get(claimed.video, row["progress"]), row["due"])
