"""What must be true of the rows after every move (invariants I1 and I10, and the ledger), as a list of complaints."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from retake.domain.states import ENDED, PartState, State, VariationState, Wish, job_state, video_state
from retake.store.connect import Database

Row = Mapping[str, Any]
Rows = Sequence[Row]

_STOPPED = {Wish.CANCEL, Wish.EXPIRE}


VIDEOS = """
    SELECT v.*, ARRAY(SELECT state FROM part WHERE video_id = v.id) AS parts,
        ARRAY(SELECT state FROM variation WHERE video_id = v.id) AS variations
    FROM video v
"""
JOBS = "SELECT * FROM job"
LEDGER = """
    SELECT w.name, s.bytes AS stored,
        (SELECT coalesce(sum(size), 0) FROM source WHERE workspace = w.id AND origin = 'upload' AND state = 'ready')
        + (SELECT coalesce(sum(bytes), 0) FROM reservation WHERE workspace = w.id)
        + (SELECT coalesce(sum(v.reserved), 0) FROM video v JOIN job j ON j.id = v.job_id WHERE j.workspace = w.id)
        + (SELECT coalesce(sum(t.reserved + coalesce(t.size, 0)), 0)
           FROM variation t JOIN video v ON v.id = t.video_id JOIN job j ON j.id = v.job_id
           WHERE j.workspace = w.id AND j.purged_at IS NULL) AS due
    FROM workspace w LEFT JOIN storage s ON s.workspace = w.id
"""


async def complaints(database: Database) -> list[str]:
    async with database.transaction() as connection:
        rows = [await (await connection.execute(query)).fetchall() for query in (VIDEOS, JOBS, LEDGER)]
    return judge(*rows)


def judge(videos: Rows, jobs: Rows, ledger: Rows) -> list[str]:
    found = [
        f"the ledger of {row['name']} says {row['stored']}, and stands for {row['due']}"
        for row in ledger
        if row["stored"] != row["due"]
    ]
    of_job: dict[Any, list[Row]] = {}
    for video in videos:
        of_job.setdefault(video["job_id"], []).append(video)
        found.extend(_of_video(video))
    for job in jobs:
        found.extend(_of_job(job, of_job.get(job["id"], [])))
    return found


def _of_video(row: Row) -> Iterator[str]:
    parts = [PartState(state) for state in row["parts"]]
    takes = [VariationState(state) for state in row["variations"]]
    computed = video_state(parts, takes, error=row["error_code"] is not None)
    if row["state"] != computed:
        yield f"a video is stored as {row['state']}, and is {computed}"
    if row["state"] in ENDED and VariationState.QUEUED in takes:
        yield "a video has ended, and one of its takes has not"
    if row["state"] in ENDED and row["reserved"]:
        yield "a video has ended, and bytes are promised for its takes"
    if row["state"] in ENDED and row["progress"] != 1:
        yield f"a video has ended, and its progress is {row['progress']}"


def _of_job(row: Row, videos: Rows) -> Iterator[str]:
    wish = Wish(row["wish"])
    computed = job_state(wish, [State(video["state"]) for video in videos])
    parts = {state for video in videos for state in video["parts"]}
    takes = {state for video in videos for state in video["variations"]}
    if row["state"] != computed:
        yield f"a job is stored as {row['state']}, and is {computed}"
    if computed is State.CANCELLING and "running" not in parts:
        yield "a job is cancelling, and nothing of it runs"
    if wish in _STOPPED and "queued" in parts:
        yield f"a part waits under the wish to {wish}"
    if wish in _STOPPED and "queued" in takes:
        yield f"a take waits under the wish to {wish}"
    if (row["ended_at"] is not None) != (computed in ENDED):
        yield f"a job is {computed}, and ended_at is {row['ended_at']}"
    if (row["expires_at"] is not None) != (computed in ENDED):
        yield f"a job is {computed}, and expires_at is {row['expires_at']}"
    if row["started_at"] is None and parts & {"running", "done"}:
        yield "a job was worked on, and never started"
