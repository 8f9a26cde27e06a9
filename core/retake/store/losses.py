"""Workers that were lost with a part in hand, and why: noted by whoever takes the part back, explained by the janitor,
which may come later. Then takes that were given up for it say so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from retake.domain.errors import WORKER_LOST, Failure
from retake.domain.losses import Because, blamed
from retake.store.connect import Connection, Database
from retake.store.each import one_by_one
from retake.store.move import LeaseLost, Move, moving_part

SKEW = timedelta(seconds=30)
"""How much the clock of a node may differ from the database's."""


@dataclass(frozen=True)
class Death:
    """How a worker ended, by the clock of its node."""

    worker: str
    at: datetime
    because: Because


async def note_loss(connection: Connection, part: int, index: int | None, worker: str, seen_at: datetime) -> None:
    await connection.execute(
        "INSERT INTO loss (part_id, index, worker, seen_at) VALUES (%s, %s, %s, %s)", (part, index, worker, seen_at)
    )


async def why(connection: Connection, part: int, index: int | None = None) -> Failure:
    """What to say when a part, or a take that was tried alone, is given up."""
    rows = await connection.execute(
        "SELECT because FROM loss WHERE part_id = %s AND (%s::integer IS NULL OR index = %s) AND because IS NOT NULL",
        (part, index, index),
    )
    return blamed({Because(row["because"]) for row in await rows.fetchall()})


async def explain(database: Database, death: Death, *, dry: bool = False) -> int:
    """In how many parts' losses this was the reason: those of that worker between whose last heartbeat and end of lease
    it died."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT DISTINCT part_id FROM loss WHERE worker = %s AND because IS NULL
                AND %s BETWEEN seen_at - %s AND at + %s ORDER BY part_id
            """,
            (death.worker, death.at, SKEW, SKEW),
        )
        parts = [row["part_id"] for row in await rows.fetchall()]
    return len(parts) if dry else await one_by_one(parts, lambda part: _explain(database, part, death))


async def _explain(database: Database, part: int, death: Death) -> bool:
    """By rule 0; no state changes, only what is said of it."""
    try:
        async with moving_part(database, part) as move:
            rows = await move.connection.execute(
                """
                UPDATE loss SET because = %s WHERE part_id = %s AND worker = %s AND because IS NULL
                    AND %s BETWEEN seen_at - %s AND at + %s RETURNING index
                """,
                (death.because, part, death.worker, death.at, SKEW, SKEW),
            )
            tried = [row["index"] for row in await rows.fetchall()]
            for index in tried:
                await _say(move, part, index, death)
            return bool(tried)
    except LeaseLost:
        return False


async def _say(move: Move, part: int, index: int | None, death: Death) -> None:
    """To takes, or a video, that were given up as lost without anybody knowing why."""
    failure = blamed({death.because})
    known = {"part": part, "index": index, "lost": WORKER_LOST.code, "code": failure.code, "error": failure.sentence}
    await move.connection.execute(
        """
        UPDATE variation v SET error_code = %(code)s, error = %(error)s FROM part p
        WHERE p.id = %(part)s AND v.video_id = p.video_id AND v.index = ANY(p.indices) AND v.state = 'failed'
            AND v.error_code = %(lost)s AND (%(index)s::integer IS NULL OR v.index = %(index)s)
        """,
        known,
    )
    await move.connection.execute(
        """
        UPDATE video v SET error_code = %(code)s, error = %(error)s FROM part p
        WHERE p.id = %(part)s AND p.kind = 'inspect' AND v.id = p.video_id AND v.error_code = %(lost)s
        """,
        known,
    )
    rows = await move.connection.execute("SELECT video_id FROM part WHERE id = %s", (part,))
    row = await rows.fetchone()
    assert row is not None
    move.tell(
        "explained", videoId=str(row["video_id"]), index=index, worker=death.worker, because=death.because,
        error=failure.sentence,
    )  # fmt: skip
