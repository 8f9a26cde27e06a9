"""What the relay reads and writes (rules 2, 3): parts to announce, in fair order, and those announced in vain.

The cost follows the number of active jobs, not the backlog: the active jobs are found by one index probe each.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from retake.domain.fairness import Turns, Waiting
from retake.domain.timing import Timing
from retake.store.connect import Connection, Database

BATCH = 32
"""The most parts one pass announces."""


@dataclass(frozen=True)
class Announceable:
    """A queued part that nobody was told of."""

    part: int
    generation: int
    kind: str
    job: UUID
    video: UUID
    traceparent: str | None = None


async def next_to_announce(database: Database, timing: Timing) -> list[Announceable]:
    """Fills the window: as many announced but unclaimed parts as there are live slots, at least two, in fair order."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT greatest(coalesce(sum(slots), 0), 2)
                       - (SELECT count(*) FROM part WHERE announced_at IS NOT NULL) AS room,
                   coalesce(max(recipe_version), 0) AS version
            FROM worker WHERE gone_at IS NULL AND seen_at > now() - %s
            """,
            (timedelta(seconds=timing.worker_alive),),
        )
        window = await rows.fetchone()
        assert window is not None
        room = min(int(window["room"]), BATCH)
        if room <= 0:
            return []
        waiting = await _waiting(connection, window["version"], room)
        return await _choose(connection, waiting, window["version"], room)


async def _choose(connection: Connection, waiting: list[Waiting], version: int, room: int) -> list[Announceable]:
    """Fills the room turn by turn. What the turns will probably need is fetched at once, more where it is short."""
    outlook = Turns(waiting).outlook(room)
    few = max(outlook.values(), default=0)
    heads = await _heads(connection, list(outlook), 0, version, few)
    last: dict[UUID, int] = {}
    chosen: list[Announceable] = []
    turns = Turns(waiting)
    while len(chosen) < room and (job := turns.next()) is not None:
        if not heads.get(job):
            heads |= await _heads(connection, [job], last.get(job, 0), version, few)
        if heads[job]:
            chosen.append(heads[job].pop(0))
            last[job] = chosen[-1].part
            turns.take()
        else:
            turns.leave()
    return chosen


async def _waiting(connection: Connection, version: int, room: int) -> list[Waiting]:
    """The jobs with something to announce, with what they have in flight already.

    Only those that could get a place: of the workspaces next in turn, the jobs next in turn.
    """
    rows = await connection.execute(
        """
        WITH RECURSIVE active AS (
            (SELECT job_id FROM part
             WHERE state = 'queued' AND announced_at IS NULL AND not_before <= now() AND recipe_version <= %(version)s
             ORDER BY job_id LIMIT 1)
            UNION ALL
            SELECT (SELECT p.job_id FROM part p
                    WHERE p.state = 'queued' AND p.announced_at IS NULL AND p.not_before <= now()
                        AND p.recipe_version <= %(version)s AND p.job_id > active.job_id
                    ORDER BY p.job_id LIMIT 1)
            FROM active WHERE active.job_id IS NOT NULL),
        flight AS (
            SELECT job_id, count(*) AS n FROM (
                SELECT job_id FROM part WHERE state = 'running'
                UNION ALL SELECT job_id FROM part WHERE announced_at IS NOT NULL) AS parts
            GROUP BY job_id),
        loads AS (
            SELECT j.workspace, sum(flight.n) AS n FROM flight JOIN job j ON j.id = flight.job_id GROUP BY 1),
        ranked AS (
            SELECT j.id, j.workspace, j.priority, j.created_at, coalesce(flight.n, 0) AS load,
                   row_number() OVER (PARTITION BY j.workspace
                       ORDER BY coalesce(flight.n, 0) / j.priority, j.created_at, j.id) AS rank
            FROM active JOIN job j ON j.id = active.job_id LEFT JOIN flight ON flight.job_id = j.id
            WHERE j.wish = 'run'),
        served AS (
            SELECT w.id, w.weight, coalesce(loads.n, 0) AS load
            FROM ranked JOIN workspace w ON w.id = ranked.workspace LEFT JOIN loads ON loads.workspace = w.id
            WHERE ranked.rank = 1
            ORDER BY coalesce(loads.n, 0) / w.weight, ranked.load / ranked.priority, ranked.created_at, ranked.id
            LIMIT %(room)s)
        SELECT ranked.id, ranked.workspace, ranked.priority, ranked.load, served.weight, served.load AS workspace_load
        FROM ranked JOIN served ON served.id = ranked.workspace
        WHERE ranked.rank <= %(room)s
        ORDER BY ranked.created_at, ranked.id
        """,
        {"version": version, "room": room},
    )
    return [
        Waiting(row["id"], row["workspace"], row["load"], row["priority"], int(row["workspace_load"]), row["weight"])
        for row in await rows.fetchall()
    ]


async def _heads(
    connection: Connection, jobs: list[UUID], after: int, version: int, few: int
) -> dict[UUID, list[Announceable]]:
    """The oldest parts of each job."""
    rows = await connection.execute(
        """
        SELECT head.* FROM unnest(%s::uuid[]) AS wanted (job) CROSS JOIN LATERAL (
            SELECT id AS part, generation, kind, job_id AS job, video_id AS video,
                (SELECT traceparent FROM job WHERE id = wanted.job) FROM part
            WHERE job_id = wanted.job AND id > %s AND state = 'queued' AND announced_at IS NULL
                AND not_before <= now() AND recipe_version <= %s
            ORDER BY id LIMIT %s) AS head
        ORDER BY head.part
        """,
        (jobs, after, version, few),
    )
    heads: dict[UUID, list[Announceable]] = {job: [] for job in jobs}
    for row in await rows.fetchall():
        heads[row["job"]].append(Announceable(**row))
    return heads


async def mark_announced(database: Database, part: int, generation: int) -> bool:
    """After the broker's receipt. False when the part moved on in between: then nobody waits for this message."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE part SET announced_at = now()
            WHERE id = %s AND state = 'queued' AND generation = %s
                AND (SELECT wish FROM job WHERE job.id = part.job_id) = 'run'
            """,
            (part, generation),
        )
        return rows.rowcount == 1


async def withdraw_unheard(database: Database, timing: Timing) -> int:
    """Rule 3: parts that were announced and not claimed in time are to be announced again.

    In time is five seconds while a slot is idle, doubling with every announcement, and ten minutes while none is. The
    new generation matters: the broker swallows a message id it has seen. A part that somebody moves just now is left
    alone: this holds no job's lock, and must not wait for parts out of order.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            WITH idle AS (
                SELECT (SELECT coalesce(sum(slots), 0) FROM worker
                        WHERE gone_at IS NULL AND seen_at > now() - %(alive)s)
                     > (SELECT count(*) FROM part WHERE state = 'running') AS slots),
            unheard AS (
                SELECT id FROM part, idle WHERE state = 'queued' AND announced_at < now() - CASE WHEN idle.slots
                    THEN least(%(first)s * power(2, least(announcements, 20)), %(most)s) ELSE %(most)s END
                FOR UPDATE OF part SKIP LOCKED)
            UPDATE part SET generation = generation + 1, announcements = announcements + 1, announced_at = NULL
            FROM unheard WHERE part.id = unheard.id
            """,
            {
                "alive": timedelta(seconds=timing.worker_alive),
                "first": timedelta(seconds=timing.reannounce_first),
                "most": timedelta(seconds=timing.reannounce_most),
            },
        )
        return rows.rowcount
