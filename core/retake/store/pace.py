"""What work takes, learnt from what it took: each guess is corrected by how the last ones came out.

Sums lose a tenth with every part that is added to them. They are written beside the protocol, never in a move: who
misses one knows a little less, and nothing waits for another's row.
"""

from collections.abc import Mapping

from retake.domain.work import Claim, PartKind
from retake.store.connect import Connection, Database

INSPECT, PLAN = "inspect", "plan"
"""What is learnt besides the profiles: to look at a video, and what its takes cost before anybody has."""

_INSPECT_SECONDS, _INSPECT_BYTES = 1.0, 50e6  # of every video, and more for each so many bytes
_SECONDS_PER_BYTE = 1e-6  # of each take
_OLD = 0.9


async def learn(database: Database, worker: str, claimed: Claim, seconds: float) -> float | None:
    """A part is done, and took so long. Returns how long it was thought to take; None when nothing came of it."""
    async with database.transaction() as connection:
        if claimed.kind is PartKind.INSPECT:
            return await _learn_inspect(connection, claimed, seconds)
        return await _learn_render(connection, worker, claimed, seconds)


async def _learn_inspect(connection: Connection, claimed: Claim, seconds: float) -> float | None:
    rows = await connection.execute(
        """
        SELECT s.size, v.cost, j.variations
        FROM video v JOIN source s ON s.id = v.source_id JOIN job j ON j.id = v.job_id
        WHERE v.id = %s AND v.cost > 0
        """,
        (claimed.video,),
    )
    row = await rows.fetchone()
    if row is None:
        return None
    guess = unseen(1, row["size"], row["variations"])
    await _add(connection, PLAN, guess[PLAN], row["cost"])
    return guess[INSPECT] * await _add(connection, INSPECT, guess[INSPECT], seconds)


async def _learn_render(connection: Connection, worker: str, claimed: Claim, seconds: float) -> float | None:
    rows = await connection.execute(
        """
        SELECT max(take.recipe #>> '{output,profile}') AS profile, coalesce(sum(take.duration), 0) AS made,
               count(*) * max(v.cost) / (SELECT count(*) FROM variation WHERE video_id = %(video)s) AS guess
        FROM variation take JOIN video v ON v.id = take.video_id
        WHERE take.video_id = %(video)s AND take.claim = %(claim)s
        """,
        {"video": claimed.video, "claim": claimed.number},
    )
    row = await rows.fetchone()
    if row is None or not row["guess"]:
        return None
    guess = float(row["guess"])
    await connection.execute(
        """
        UPDATE worker SET took = took * %(old)s + %(took)s, made = made * %(old)s + %(made)s WHERE name = %(name)s
        """,
        {"old": _OLD, "took": seconds, "made": row["made"], "name": worker},
    )
    return guess * await _add(connection, row["profile"], guess, seconds)


async def _add(connection: Connection, what: str, guess: float, took: float) -> float:
    """Returns the correction as it was before."""
    rows = await connection.execute(
        """
        INSERT INTO pace (what, guessed, took) VALUES (%(what)s, %(guess)s, %(took)s)
        ON CONFLICT (what) DO UPDATE SET guessed = pace.guessed * %(old)s + excluded.guessed,
            took = pace.took * %(old)s + excluded.took
        RETURNING (took - %(took)s) / nullif(guessed - %(guess)s, 0) AS before
        """,
        {"what": what, "guess": guess, "took": took, "old": _OLD},
    )
    row = await rows.fetchone()
    assert row is not None
    return 1.0 if row["before"] is None else float(row["before"])


def unseen(videos: int, size: int, takes: int) -> dict[str, float]:
    """What is thought of videos that nobody looked at yet: of looking at them, and of their takes."""
    return {INSPECT: videos * _INSPECT_SECONDS + size / _INSPECT_BYTES, PLAN: size * takes * _SECONDS_PER_BYTE}


async def corrections(connection: Connection) -> Mapping[str, float]:
    """By what is guessed."""
    rows = await connection.execute("SELECT what, took / guessed AS factor FROM pace")
    return {row["what"]: row["factor"] for row in await rows.fetchall()}
