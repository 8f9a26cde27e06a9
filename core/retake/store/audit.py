"""What the rows say of themselves: each function yields the violations of one invariant, as sentences."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from retake.domain.states import ENDED, PartState, State, VariationState, Wish, job_state, video_state
from retake.domain.timing import Timing
from retake.store.connect import Database
from retake.store.reaping import FAILURES

_PAGE = 500


@dataclass(frozen=True)
class Published:
    """A completed take as its row promises it."""

    video: UUID
    index: int
    claim: int
    key: str
    size: int
    sha256: str


async def job_ids(database: Database) -> AsyncIterator[UUID]:
    """Every job, page by page."""
    after: UUID | None = None
    while True:
        async with database.transaction() as connection:
            rows = await connection.execute(
                "SELECT id FROM job WHERE %(after)s::uuid IS NULL OR id > %(after)s ORDER BY id LIMIT %(page)s",
                {"after": after, "page": _PAGE},
            )
            page = [row["id"] for row in await rows.fetchall()]
        for job in page:
            yield job
        if len(page) < _PAGE:
            return
        after = page[-1]


async def states_that_lie(database: Database, job: UUID) -> list[str]:
    """Stored states of a job and its videos that are not what the state page computes; one look, one snapshot."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT v.id, v.state, v.error_code, j.wish, j.state AS job_state,
                   ARRAY(SELECT DISTINCT state FROM part WHERE video_id = v.id) AS parts,
                   ARRAY(SELECT DISTINCT state FROM variation WHERE video_id = v.id) AS variations
            FROM job j JOIN video v ON v.job_id = j.id WHERE j.id = %s
            """,
            (job,),
        )
        videos = await rows.fetchall()
    lies = []
    for row in videos:
        computed = video_state(
            {PartState(name) for name in row["parts"]},
            {VariationState(name) for name in row["variations"]},
            error=row["error_code"] is not None,
        )
        if computed != row["state"]:
            lies.append(f"video {row['id']} is stored as {row['state']} and is {computed}")
    if videos:
        computed = job_state(Wish(videos[0]["wish"]), {State(row["state"]) for row in videos})
        if computed != videos[0]["job_state"]:
            lies.append(f"job {job} is stored as {videos[0]['job_state']} and is {computed}")
    return lies


async def unended(database: Database) -> list[str]:
    """At rest, what was accepted has ended, unless its person paused it."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT id, state FROM job WHERE NOT state = ANY(%s) AND wish <> 'pause'", (sorted(ENDED),)
        )
        return [f"job {row['id']} is {row['state']}" for row in await rows.fetchall()]


async def waiting_unwanted(database: Database) -> list[str]:
    """Under cancel and expire nothing waits."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id, j.wish, 'part ' || p.id AS what FROM job j JOIN part p ON p.job_id = j.id
            WHERE j.wish IN ('cancel', 'expire') AND p.state = 'queued'
            UNION ALL
            SELECT j.id, j.wish, 'take ' || v.index || ' of video ' || v.video_id
            FROM job j JOIN video ON video.job_id = j.id JOIN variation v ON v.video_id = video.id
            WHERE j.wish IN ('cancel', 'expire') AND v.state = 'queued'
            """
        )
        return [
            f"{row['what']} waits although job {row['id']} has the wish {row['wish']}" for row in await rows.fetchall()
        ]


async def forgotten_takes(database: Database) -> list[str]:
    """A take that waits is in a part that will be worked on."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT v.video_id, v.index FROM variation v WHERE v.state = 'queued' AND NOT EXISTS (
                SELECT FROM part p WHERE p.video_id = v.video_id AND v.index = ANY(p.indices)
                    AND p.state IN ('queued', 'running'))
            """
        )
        return [f"take {row['index']} of video {row['video_id']} waits in no part" for row in await rows.fetchall()]


async def failed_too_often(database: Database) -> list[str]:
    async with database.transaction() as connection:
        rows = await connection.execute("SELECT id, failures FROM part WHERE failures > %s", (FAILURES,))
        return [f"part {row['id']} was lost {row['failures']} times" for row in await rows.fetchall()]


async def overdue(database: Database, timing: Timing) -> list[str]:
    """Leases that ended long ago: nobody reaps."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT id, worker FROM part WHERE state = 'running' AND lease_until < now() - %s",
            (timedelta(seconds=3 * timing.lease),),
        )
        return [f"part {row['id']} of {row['worker']} lost its lease long ago" for row in await rows.fetchall()]


async def ledger_errors(database: Database, *, repair: bool = False) -> list[str]:
    """The ledger is the sum of what it stands for: sources, reservations, promises, results.

    To repair it, its rows are locked first: whoever moves bytes locks them last, so what the next statement sees of
    other rows is what the ledger must say until this transaction ends.
    """
    async with database.transaction() as connection:
        if repair:
            await connection.execute("SELECT FROM storage ORDER BY workspace FOR UPDATE")
        rows = await connection.execute(
            """
            SELECT storage.workspace, storage.bytes, (
                (SELECT coalesce(sum(size), 0) FROM source
                 WHERE workspace = storage.workspace AND state = 'ready' AND origin = 'upload')
                + (SELECT coalesce(sum(bytes), 0) FROM reservation WHERE workspace = storage.workspace)
                + (SELECT coalesce(sum(v.reserved), 0) FROM job j JOIN video v ON v.job_id = j.id
                   WHERE j.workspace = storage.workspace)
                + (SELECT coalesce(sum(coalesce(a.size, a.reserved)), 0)
                   FROM job j JOIN video v ON v.job_id = j.id JOIN variation a ON a.video_id = v.id
                   WHERE j.workspace = storage.workspace AND j.purged_at IS NULL))::bigint AS sum
            FROM storage
            """
        )
        wrong = [row for row in await rows.fetchall() if row["bytes"] != row["sum"]]
        for row in wrong if repair else ():
            await connection.execute(
                "UPDATE storage SET bytes = %s WHERE workspace = %s", (row["sum"], row["workspace"])
            )
        return [f"workspace {row['workspace']} is charged {row['bytes']} bytes and uses {row['sum']}" for row in wrong]


async def over_the_cap(database: Database, cap: int) -> list[str]:
    """No more is stored than the cap and one job: a plan may need more than its estimate."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT (SELECT coalesce(sum(bytes), 0) FROM storage)::bigint AS used,
                (SELECT coalesce(max(job_bytes(id)), 0) FROM job)::bigint AS largest
            """
        )
        row = await rows.fetchone()
        assert row is not None
        over = row["used"] > cap + row["largest"]
        return [f"{row['used']} bytes are stored or promised, and the cap is {cap}"] if over else []


async def old_orphans(database: Database, timing: Timing) -> list[str]:
    """Objects without a row that should have been deleted long ago."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT key FROM orphan WHERE first_seen < now() - %s ORDER BY key LIMIT 100",
            (timedelta(seconds=2 * timing.orphan),),
        )
        return [f"{row['key']} has no row, and is still there" for row in await rows.fetchall()]


async def purged_under_a_download(database: Database) -> list[str]:
    async with database.transaction() as connection:
        rows = await connection.execute("SELECT id FROM job WHERE purged_at IS NOT NULL AND being_downloaded(id)")
        return [f"job {row['id']} lost its bytes while it is being downloaded" for row in await rows.fetchall()]


async def answers_without_a_job(database: Database) -> list[str]:
    """What an idempotency key answers with is there, for as long as the key is."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT key, answer ->> 'jobId' AS job FROM idempotency
            WHERE answer ->> 'jobId' IS NOT NULL
                AND NOT EXISTS (SELECT FROM job WHERE id::text = idempotency.answer ->> 'jobId')
            """
        )
        return [
            f"the key {row['key']} answers with job {row['job']}, which is not there" for row in await rows.fetchall()
        ]


async def published(database: Database, job: UUID) -> list[Published]:
    """The takes whose objects must exist: those of an expired job may be gone before it is stamped as purged."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT a.video_id AS video, a.index, a.claim, a.key, a.size, a.sha256
            FROM job j JOIN video v ON v.job_id = j.id JOIN variation a ON a.video_id = v.id
            WHERE j.id = %s AND j.state <> 'expired' AND a.state = 'completed'
            """,
            (job,),
        )
        return [Published(**row) for row in await rows.fetchall()]


async def promised_chunks(database: Database, job: UUID) -> list[tuple[str, int]]:
    """Key and size of the chunks of a job's sources that are kept."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT DISTINCT c.key, c.size FROM video v JOIN source s ON s.id = v.source_id
            JOIN chunk c ON c.source_id = s.id
            WHERE v.job_id = %s AND s.state = 'ready' AND c.state = 'done'
            """,
            (job,),
        )
        return [(row["key"], row["size"]) for row in await rows.fetchall()]
