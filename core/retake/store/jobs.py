"""Jobs: accepted, wished for, expired. Every move follows rule 0 (move.py)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from psycopg.types.json import Json, Jsonb

from retake import tracing
from retake.domain.search import searchable
from retake.domain.states import ENDED, WISHES, PartState, State, Wish
from retake.domain.work import RECIPE_VERSION, PartKind
from retake.store.connect import Connection, Database
from retake.store.each import one_by_one
from retake.store.move import Move, charge_ledger, moving, record_events
from retake.store.room import Queue, admit, enqueue
from retake.store.sources import SourceGone, estimate, lock_ready_sources
from retake.store.uploads import lock_finished, use_uploads


class KeyLost(Exception):
    """The idempotency key was taken over, or answered, while this request ran: accept nothing, answer from the row."""


class WishRefused(Exception):
    """The job's state forbids it."""

    def __init__(self, state: State, allowed: Sequence[Wish]) -> None:
        super().__init__(f"the job is {state}")
        self.state, self.allowed = state, allowed


@dataclass(frozen=True)
class KeyOwner:
    """The request that holds an idempotency key, and what the key will answer once the job is accepted."""

    key: str
    owner: UUID
    fingerprint: str
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class NewJob:
    """A request whose bytes are complete."""

    workspace: UUID
    videos: Sequence[tuple[str, UUID]]  # name, source
    variations: int
    seed: int
    kind: str = "variations"
    options: Mapping[str, Any] = field(default_factory=dict)
    priority: float = 1
    retention: timedelta = timedelta(hours=24)
    id: UUID = field(default_factory=uuid4)
    uploads: Collection[UUID] = ()
    """Those of the sources that were uploaded on their own: this job uses them up."""

    @property
    def video_ids(self) -> list[UUID]:
        """They follow from the job's: what it will answer is known before it is accepted."""
        return [uuid5(self.id, str(position)) for position in range(len(self.videos))]

    @property
    def search(self) -> str:
        """What the job is found by."""
        name = self.options.get("name")
        return searchable([*([name] if name else []), *(name for name, _ in self.videos)])


async def accept(
    database: Database,
    new: NewJob,
    *,
    cap: int | None = None,
    queue: Queue | None = None,
    key: KeyOwner | None = None,
) -> list[UUID]:
    """Rule 1: one transaction makes a request into a job; returns the ids of its videos.

    1. The idempotency key is still ours and unanswered. 2. Uploads are finished and unused, sources are ready, and
    they are locked against the sweep. 3. There is room: in the queue, and under the cap; admissions are counted one
    after another. 4. Job, videos, one inspect part each; the uploads are used. 5. Ledger and event.
    """
    assert new.videos, "a job without videos would never end"
    async with database.transaction() as connection:
        if key is not None:
            await _answer_key(connection, new.workspace, key)
        await lock_finished(connection, new.workspace, new.uploads)
        sources = {source for _, source in new.videos}
        sizes = await lock_ready_sources(connection, new.workspace, sources)
        if missing := sources - set(sizes):
            raise SourceGone(f"{len(missing)} of {len(sources)} sources are not ready")
        reserves = [estimate(sizes[source], new.variations) for _, source in new.videos]
        if queue is not None:
            await enqueue(connection, new.workspace, len(new.videos), queue)
        await admit(connection, sum(reserves), cap)
        await connection.execute(
            """
            INSERT INTO job (id, workspace, kind, variations, options, seed, priority, retention, search, traceparent)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            (
                new.id, new.workspace, new.kind, new.variations, Jsonb(dict(new.options)), new.seed, new.priority,
                new.retention, new.search, tracing.traceparent(),
            ),
        )  # fmt: skip
        for position, ((name, source), video, reserve) in enumerate(
            zip(new.videos, new.video_ids, reserves, strict=True)
        ):
            await connection.execute(
                "INSERT INTO video (id, job_id, position, name, source_id, reserved) VALUES (%s, %s, %s, %s, %s, %s)",
                (video, new.id, position, name, source, reserve),
            )
            await connection.execute(
                "INSERT INTO part (job_id, video_id, kind, state, recipe_version) VALUES (%s, %s, %s, %s, %s)",
                (new.id, video, PartKind.INSPECT, PartState.QUEUED, RECIPE_VERSION),
            )
        await use_uploads(connection, new.uploads, new.id)
        await charge_ledger(connection, new.workspace, sum(reserves))
        await record_events(connection, new.workspace, new.id, [("job", {"status": State.QUEUED})])
        return new.video_ids


async def _answer_key(connection: Connection, workspace: UUID, key: KeyOwner) -> None:
    rows = await connection.execute(
        """
        UPDATE idempotency SET fingerprint = %s, answer = %s
        WHERE workspace = %s AND key = %s AND owner = %s AND answer IS NULL
        """,
        (key.fingerprint, Json(dict(key.answer)), workspace, key.key, key.owner),
    )
    if rows.rowcount == 0:
        raise KeyLost


async def wish(
    database: Database, job: UUID, wanted: Wish, because: str | None = None, *, workspace: UUID | None = None
) -> State:
    """What a person, or the janitor for them, wants of a job; returns the state it has then.

    Pause withdraws what was announced, also what the relay is about to mark, hence the new generation. Resume announces
    anew. Cancel and expire reach everything that waits in this same transaction, also the waiting takes of running
    parts, whose workers learn it at their next heartbeat.
    """
    async with moving(database, job, workspace) as move:
        await change_wish(move, wanted, because)
    return move.job.state


async def delete(database: Database, job: UUID, workspace: UUID) -> State:
    """Its people want to see it no more: gone at once, whatever it was doing. One that expired before only says why."""
    async with moving(database, job, workspace) as move:
        if move.job.wish is Wish.EXPIRE:
            await move.wish(Wish.EXPIRE, "deleted")
        else:
            await change_wish(move, Wish.EXPIRE, "deleted")
    return move.job.state


async def change_wish(move: Move, wanted: Wish, because: str | None = None) -> None:
    allowed = [to for to in Wish if to in allowed_wishes(move.job.wish, move.job.state)]
    if wanted not in allowed:
        raise WishRefused(move.job.state, allowed)
    await move.wish(wanted, because)
    rows = await move.connection.execute("SELECT id FROM video WHERE job_id = %s", (move.job.id,))
    move.touch(*(row["id"] for row in await rows.fetchall()))
    if wanted in {Wish.CANCEL, Wish.EXPIRE}:
        await _cancel_waiting(move)
    else:
        await move.connection.execute(
            """
            UPDATE part SET generation = generation + 1, announcements = 0, announced_at = NULL,
                not_before = greatest(not_before, now())
            WHERE job_id = %s AND state = 'queued'
            """,
            (move.job.id,),
        )


def allowed_wishes(current: Wish, state: State) -> frozenset[Wish]:
    """An ended job can only expire; its way back to run is `retry`."""
    return WISHES[current] & {Wish.EXPIRE} if state in ENDED else WISHES[current] - _retry_only(current)


def _retry_only(current: Wish) -> frozenset[Wish]:
    return frozenset({Wish.RUN}) if current is Wish.CANCEL else frozenset()


async def _cancel_waiting(move: Move) -> None:
    await move.connection.execute(
        "UPDATE part SET state = 'cancelled', announced_at = NULL WHERE job_id = %s AND state = 'queued'",
        (move.job.id,),
    )
    rows = await move.connection.execute(
        """
        UPDATE variation v SET state = 'cancelled', reserved = 0 FROM video, variation before
        WHERE video.job_id = %s AND v.video_id = video.id AND v.state = 'queued'
            AND before.video_id = v.video_id AND before.index = v.index
        RETURNING before.reserved
        """,
        (move.job.id,),
    )
    freed = sum(row["reserved"] for row in await rows.fetchall())
    rows = await move.connection.execute(
        """
        UPDATE video v SET reserved = 0 FROM video before
        WHERE v.job_id = %s AND v.reserved > 0 AND before.id = v.id RETURNING before.reserved
        """,
        (move.job.id,),
    )
    move.charge(-freed - sum(row["reserved"] for row in await rows.fetchall()))


async def due_to_expire(database: Database, limit: int) -> list[UUID]:
    """Jobs whose time is over, except while somebody downloads them."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT id FROM job WHERE wish <> 'expire' AND expires_at <= now() AND NOT being_downloaded(id)
            ORDER BY expires_at LIMIT %s
            """,
            (limit,),
        )
        return [row["id"] for row in await rows.fetchall()]


async def expire_due(database: Database, limit: int = 100) -> int:
    """The janitor's chore. One job per transaction; another janitor's work is not redone, and whoever is downloading
    may finish."""

    async def expire(job: UUID) -> bool:
        async with moving(database, job) as move:
            rows = await move.connection.execute(
                """
                SELECT FROM job
                WHERE id = %s AND wish <> 'expire' AND expires_at <= now() AND NOT being_downloaded(id)
                """,
                (job,),
            )
            if await rows.fetchone() is None:
                return False
            await change_wish(move, Wish.EXPIRE, "age")
            return True

    return await one_by_one(await due_to_expire(database, limit), expire)
