"""Webhooks that are to be sent: written with the event they tell of, taken one by one, tried for a day.

Whoever takes one holds it for a while, by its next time; who dies holding it has it tried again. So each is delivered
at least once, under an id that stays the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from retake.store.connect import Connection, Database

Row = Mapping[str, Any]

TOLD = frozenset({"job", "video"})
"""The kinds of events that are told; takes come too often."""

HELD = timedelta(seconds=60)
TRIED_FOR = timedelta(hours=24)
_FIRST, _MOST = timedelta(seconds=5), timedelta(hours=2)


@dataclass(frozen=True)
class Delivery:
    id: UUID
    job: UUID
    number: int
    url: str
    kind: str
    body: Mapping[str, Any]
    at: datetime
    traceparent: str | None = None


async def note_deliveries(connection: Connection, job: UUID, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """In the transaction of the events, which holds the job: so its deliveries are numbered in their order."""
    told = [(kind, body) for kind, body in events if kind in TOLD]
    if not told:
        return
    await connection.execute(
        """
        INSERT INTO delivery (job_id, number, url, kind, body)
        SELECT job.id, told.n + (SELECT count(*) FROM delivery WHERE job_id = job.id), job.options ->> 'callbackUrl',
               told.kind, told.body
        FROM job, unnest(%s::text[], %s::jsonb[]) WITH ORDINALITY AS told (kind, body, n)
        WHERE job.id = %s AND job.options ? 'callbackUrl'
        """,
        ([kind for kind, _ in told], [Jsonb(dict(body)) for _, body in told], job),
    )


async def take_due(database: Database, most: int) -> list[Delivery]:
    """Holds them; of each job only the one that is due longest, so that no receiver takes all places."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            WITH due AS (
                SELECT DISTINCT ON (job_id) id, next_at FROM delivery
                WHERE state = 'waiting' AND next_at <= now() ORDER BY job_id, next_at, number),
            taken AS (
                SELECT d.id FROM due JOIN delivery d ON d.id = due.id
                WHERE d.state = 'waiting' AND d.next_at <= now()
                ORDER BY d.next_at LIMIT %s FOR UPDATE OF d SKIP LOCKED)
            UPDATE delivery SET attempts = attempts + 1, next_at = now() + %s FROM taken WHERE delivery.id = taken.id
            RETURNING delivery.id, job_id AS job, number, url, kind, body, created_at AS at,
                (SELECT traceparent FROM job WHERE job.id = job_id)
            """,
            (most, HELD),
        )
        return [Delivery(**row) for row in await rows.fetchall()]


async def delivered(database: Database, delivery: UUID, answered: int) -> None:
    await _end(database, delivery, "delivered", answered, None)


async def refused(database: Database, delivery: UUID, answered: int | None, error: str) -> None:
    """It will not be tried again: the receiver, or our own rules, do not want it."""
    await _end(database, delivery, "refused", answered, error)


async def failed(database: Database, delivery: UUID, answered: int | None, error: str) -> bool:
    """Tried again later, each time after twice as long, with some spread; False: after a day not any more."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE delivery SET answered = %(answered)s, error = %(error)s,
                next_at = now()
                    + least(%(first)s * power(2, least(attempts - 1, 20)), %(most)s) * (0.8 + 0.4 * random()),
                state = CASE WHEN created_at < now() - %(day)s THEN 'given_up' ELSE 'waiting' END,
                ended_at = CASE WHEN created_at < now() - %(day)s THEN now() END
            WHERE id = %(id)s AND state = 'waiting' RETURNING state
            """,
            {
                "answered": answered, "error": error, "first": _FIRST, "most": _MOST, "day": TRIED_FOR, "id": delivery,
            },
        )  # fmt: skip
        row = await rows.fetchone()
        return row is None or row["state"] == "waiting"


async def _end(database: Database, delivery: UUID, state: str, answered: int | None, error: str | None) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            """
            UPDATE delivery SET state = %s, ended_at = now(), answered = %s, error = %s
            WHERE id = %s AND state = 'waiting'
            """,
            (state, answered, error, delivery),
        )


async def deliveries_of(database: Database, job: UUID, limit: int = 200) -> Sequence[Row]:
    """The newest ones, newest first."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT id, number, kind, body, state, attempts, created_at, next_at, ended_at, answered, error FROM delivery
            WHERE job_id = %s ORDER BY number DESC LIMIT %s
            """,
            (job, limit),
        )
        return await rows.fetchall()
