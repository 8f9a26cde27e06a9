"""Rule 0: the one order in which anything moves, so that moves neither deadlock nor miss each other.

1. Lock the job's row. Two last finishers therefore cannot both see "one still running".
2. The body: source rows, then parts by compare-and-set, then variations that are still queued.
3. Videos the body touched, then the job, are computed anew by `domain.states` and stored where they changed; so is how
   far they are.
4. The workspace's ledger row.
5. The workspace's event lock, so that event ids are in commit order, and the events.
6. Commit. An exception anywhere leaves nothing.
7. What was told, or noted, is a line in the log of whoever moved.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog
from psycopg.types.json import Jsonb

from retake.domain.states import ENDED, PartState, State, VariationState, Wish, job_state, video_state
from retake.store.connect import Connection, Database
from retake.store.deliveries import note_deliveries
from retake.store.progress import note_progress

log = structlog.stdlib.get_logger(__name__)

_LOGGED = {"videoId": "video", "index": "take"}
"""What fields of events are called in logs."""


class JobGone(Exception):
    """There is no such job."""


class LeaseLost(Exception):
    """The part is not ours any more: stop, delete scratch, write nothing."""


@dataclass(frozen=True)
class LockedJob:
    id: UUID
    workspace: UUID
    wish: Wish
    state: State


@dataclass
class Move:
    """One transaction of rule 0. The body says what it touched, told and charged; the rest follows from that."""

    connection: Connection
    job: LockedJob
    _videos: set[UUID] = field(default_factory=set)
    _advanced: set[UUID] = field(default_factory=set)
    _events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _notes: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _bytes: int = 0

    def touch(self, *videos: UUID) -> None:
        """The states of these videos, and of the job, may have changed."""
        self._videos.update(videos)
        self._advanced.update(videos)

    def advance(self, video: UUID) -> None:
        """One of its takes ended, and its state is as it was."""
        self._advanced.add(video)

    def tell(self, kind: str, **body: Any) -> None:
        self._events.append((kind, body))

    def note(self, what: str, **ids: Any) -> None:
        """For the log only."""
        self._notes.append((what, ids))

    def charge(self, amount: int) -> None:
        """Bytes stored or promised, or freed when negative."""
        self._bytes += amount

    async def wish(self, wish: Wish, because: str | None = None) -> None:
        """What the person wants from now on."""
        await self.connection.execute(
            "UPDATE job SET wish = %s, expired_because = %s WHERE id = %s", (wish, because, self.job.id)
        )
        self.job = replace(self.job, wish=wish)
        self.tell("wish", wish=wish, because=because)

    async def conclude(self) -> None:
        """Steps 3 to 5."""
        if self._videos:
            await self._roll_up()
        if self._advanced:
            await note_progress(self.connection, self._advanced)
        if self._bytes:
            await charge_ledger(self.connection, self.job.workspace, self._bytes)
        if self._events:
            await record_events(self.connection, self.job.workspace, self.job.id, self._events)

    def log(self) -> None:
        """Step 7, under the ids that all logs use."""
        for what, ids in self._notes:
            log.info(what, job=str(self.job.id), **ids)
        for kind, body in self._events:
            told = {_LOGGED.get(name, name): value for name, value in body.items() if value is not None}
            moved = " ".join(("take" if kind == "variation" else kind, *filter(None, [told.pop("status", None)])))
            log.info(moved, job=str(self.job.id), **told)

    async def _roll_up(self) -> None:
        rows = await self.connection.execute(
            """
            SELECT v.id, v.state, v.error_code, v.error,
                   ARRAY(SELECT DISTINCT state FROM part WHERE video_id = v.id) AS parts,
                   ARRAY(SELECT DISTINCT state FROM variation WHERE video_id = v.id) AS variations
            FROM video v WHERE v.id = ANY(%s) ORDER BY v.id
            """,
            (list(self._videos),),
        )
        for row in await rows.fetchall():
            state = video_state(
                {PartState(name) for name in row["parts"]},
                {VariationState(name) for name in row["variations"]},
                error=row["error_code"] is not None,
            )
            if state != row["state"]:
                await self.connection.execute(
                    "UPDATE video SET state = %s, progress = CASE WHEN %s THEN 1 ELSE progress END WHERE id = %s",
                    (state, state in ENDED, row["id"]),
                )
                why = {} if row["error_code"] is None else {"code": row["error_code"], "error": row["error"]}
                self.tell("video", videoId=str(row["id"]), status=state, **why)
        await self._roll_up_job()

    async def _roll_up_job(self) -> None:
        rows = await self.connection.execute("SELECT DISTINCT state FROM video WHERE job_id = %s", (self.job.id,))
        state = job_state(self.job.wish, {State(row["state"]) for row in await rows.fetchall()})
        if state == self.job.state:
            return
        await self.connection.execute(
            """
            UPDATE job SET state = %(state)s,
                started_at = CASE WHEN %(state)s = 'processing' THEN coalesce(started_at, now()) ELSE started_at END,
                ended_at = CASE WHEN %(ended)s THEN coalesce(ended_at, now()) END,
                expires_at = CASE WHEN %(ended)s THEN coalesce(expires_at, now() + retention) END
            WHERE id = %(id)s
            """,
            {"state": state, "ended": state in ENDED, "id": self.job.id},
        )
        self.job = replace(self.job, state=state)
        self.tell("job", status=state)


@asynccontextmanager
async def moving(database: Database, job_id: UUID, workspace: UUID | None = None) -> AsyncIterator[Move]:
    """A move of one job, known by its id; of a workspace's people only if it is theirs, and they did not delete it."""
    async with database.transaction() as connection:
        row = await connection.execute(
            """
            SELECT id, workspace, wish, state FROM job
            WHERE id = %(job)s AND (%(workspace)s::uuid IS NULL
                OR workspace = %(workspace)s AND expired_because IS DISTINCT FROM 'deleted') FOR NO KEY UPDATE
            """,
            {"job": job_id, "workspace": workspace},
        )
        if (locked := await row.fetchone()) is None:
            raise JobGone
        move = Move(connection, _job(locked))
        yield move
        await move.conclude()
    move.log()


@asynccontextmanager
async def moving_part(database: Database, part_id: int) -> AsyncIterator[Move]:
    """A move of the job that a part belongs to."""
    async with database.transaction() as connection:
        row = await connection.execute(
            """
            SELECT id, workspace, wish, state FROM job
            WHERE id = (SELECT job_id FROM part WHERE id = %s) FOR NO KEY UPDATE
            """,
            (part_id,),
        )
        if (locked := await row.fetchone()) is None:
            raise LeaseLost
        move = Move(connection, _job(locked))
        yield move
        await move.conclude()
    move.log()


def _job(row: Mapping[str, Any]) -> LockedJob:
    return LockedJob(row["id"], row["workspace"], Wish(row["wish"]), State(row["state"]))


async def charge_ledger(connection: Connection, workspace: UUID, amount: int) -> None:
    await connection.execute("UPDATE storage SET bytes = bytes + %s WHERE workspace = %s", (amount, workspace))


async def record_events(
    connection: Connection, workspace: UUID, job_id: UUID, events: list[tuple[str, Mapping[str, Any]]]
) -> None:
    """The last thing before a commit: the lock is held from the first id to it, so ids never commit out of order."""
    await note_deliveries(connection, job_id, events)
    await connection.execute("SELECT pg_advisory_xact_lock(1, number) FROM workspace WHERE id = %s", (workspace,))
    for kind, body in events:
        await connection.execute(
            "INSERT INTO event (workspace, job_id, kind, body) VALUES (%s, %s, %s, %s)",
            (workspace, job_id, kind, Jsonb(dict(body))),
        )
