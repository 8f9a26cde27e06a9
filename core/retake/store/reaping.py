"""Rule 8: parts whose worker was lost go back to the queue, and what is lost again and again fails alone."""

from dataclasses import dataclass
from datetime import timedelta

from retake.domain.states import Wish, requeued
from retake.domain.timing import Timing
from retake.domain.work import PartKind
from retake.store.connect import Database
from retake.store.each import one_by_one
from retake.store.losses import note_loss, why
from retake.store.move import LeaseLost, Move, moving_part
from retake.store.parts import fail_queued, fail_video

FAILURES = 5
"""After so many lost workers a part is given up."""
LOSSES = 2
"""After so many lost workers while it was rendered alone, a take is given up."""


@dataclass(frozen=True)
class Reaped:
    quiet: bool
    """An outage was noticed, so that leases ran out through nobody's fault: nothing is reaped for one lease."""
    parts: int


async def reap(database: Database, timing: Timing, limit: int = 100) -> Reaped:
    """One pass.

    1. Write the pass's time; when the one before is too old, or Postgres younger than a lease, keep quiet for a lease.
    2. Each part whose lease is over is taken back in a transaction of its own, which asks once more: the list may
    be older than an outage. One that cannot be taken back keeps no other from its turn.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE reaping SET passed_at = now(), quiet_until = CASE
                WHEN passed_at < now() - %(stall)s THEN now() + %(lease)s
                ELSE greatest(quiet_until, least(pg_postmaster_start_time() + %(lease)s, now() + %(lease)s)) END
            RETURNING quiet_until > now() AS quiet
            """,
            {"stall": timedelta(seconds=timing.reap_stall), "lease": timedelta(seconds=timing.lease)},
        )
        row = await rows.fetchone()
        assert row is not None
        if row["quiet"]:
            return Reaped(quiet=True, parts=0)
        rows = await connection.execute(
            "SELECT id FROM part WHERE state = 'running' AND lease_until < now() ORDER BY lease_until LIMIT %s",
            (limit,),
        )
        lost = [row["id"] for row in await rows.fetchall()]
    taken = await one_by_one(lost, lambda part: _take_back(database, part, timing))
    return Reaped(quiet=False, parts=taken)


async def lapsed(database: Database) -> list[tuple[int, str]]:
    """Parts whose lease is over, and their workers."""
    async with database.transaction() as connection:
        rows = await connection.execute("SELECT id, worker FROM part WHERE state = 'running' AND lease_until < now()")
        return [(row["id"], row["worker"]) for row in await rows.fetchall()]


async def _take_back(database: Database, part: int, timing: Timing) -> bool:
    """By rule 0. State and lease are looked at again under the job's lock: the worker may have come back."""
    try:
        async with moving_part(database, part) as move:
            rows = await move.connection.execute(
                """
                UPDATE part SET state = %(to)s, claim = NULL, worker = NULL, lease_until = NULL, trying_index = NULL,
                    frames = '{}', generation = part.generation + 1, announcements = 0, announced_at = NULL,
                    not_before = now(),
                    failures = part.failures + (before.trying_index IS NULL)::int
                FROM part before
                WHERE part.id = %(part)s AND before.id = part.id AND part.state = 'running'
                    AND part.lease_until < now() AND EXISTS (
                        SELECT FROM reaping WHERE passed_at >= now() - %(stall)s AND quiet_until <= now()
                            AND pg_postmaster_start_time() <= now() - %(lease)s)
                RETURNING part.video_id, part.kind, part.failures, part.indices, before.trying_index, before.claim,
                    before.worker, before.lease_until - %(lease)s AS seen_at
                """,
                {
                    "to": requeued(move.job.wish),
                    "part": part,
                    "stall": timedelta(seconds=timing.reap_stall),
                    "lease": timedelta(seconds=timing.lease),
                },
            )
            row = await rows.fetchone()
            if row is None:
                return False
            move.touch(row["video_id"])
            await note_loss(move.connection, part, row["trying_index"], row["worker"], row["seen_at"])
            move.tell(
                "lost", videoId=str(row["video_id"]), worker=row["worker"], claim=row["claim"], failures=row["failures"]
            )
            if move.job.wish in {Wish.RUN, Wish.PAUSE}:
                if row["trying_index"] is not None:
                    await _lose_take(move, part, row["trying_index"])
                elif row["failures"] >= FAILURES:
                    await _give_up(move, part, PartKind(row["kind"]), row["indices"])
                elif row["failures"] > 1:
                    await _wait(move, part, row["failures"], timing)
            return True
    except LeaseLost:
        return False


async def _lose_take(move: Move, part: int, index: int) -> None:
    """The take that was tried alone is the culprit; at its second loss it alone fails."""
    rows = await move.connection.execute(
        """
        UPDATE variation v SET losses = losses + 1 FROM part p
        WHERE p.id = %s AND v.video_id = p.video_id AND v.index = %s AND v.state = 'queued' RETURNING v.losses
        """,
        (part, index),
    )
    row = await rows.fetchone()
    if row is not None and row["losses"] >= LOSSES:
        await fail_queued(move, part, [index], await why(move.connection, part, index))
    await move.connection.execute(
        """
        UPDATE part SET state = 'done' WHERE id = %s AND state = 'queued' AND NOT EXISTS (
            SELECT FROM variation v WHERE v.video_id = part.video_id AND v.index = ANY(part.indices)
                AND v.state = 'queued')
        """,
        (part,),
    )


async def _give_up(move: Move, part: int, kind: PartKind, indices: list[int]) -> None:
    failure = await why(move.connection, part)
    if kind is PartKind.INSPECT:
        await fail_video(move, part, failure)
    else:
        await fail_queued(move, part, indices, failure)
    await move.connection.execute("UPDATE part SET state = 'done' WHERE id = %s", (part,))


async def _wait(move: Move, part: int, failures: int, timing: Timing) -> None:
    """The first retry is at once; then the waits double."""
    await move.connection.execute(
        "UPDATE part SET not_before = now() + least(%s * power(2, %s), %s) WHERE id = %s",
        (timedelta(seconds=timing.retry_first), failures - 2, timedelta(seconds=timing.retry_most), part),
    )
