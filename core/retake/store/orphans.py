"""Orphans: objects that no row knows of, each remembered since it was first seen so.

What is unclaimed once stays so: a chunk's row comes before its bytes, and a take can be committed only while its claim
runs, which no claim ever does again. The hours before an orphan is deleted are for what nobody thought of, such as a
database that was restored from yesterday.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from retake.store.connect import Database

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Made:
    """A take or a thumbnail, by what its key says."""

    key: str
    video: str
    claim: int


async def without_row(database: Database, chunks: Sequence[str], made: Sequence[Made]) -> list[str]:
    """Those of the keys that no row promises, nor may come to promise: gone, dropped, purged, or never told of."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT key FROM unnest(%s::text[]) AS found (key) WHERE NOT EXISTS (
                SELECT FROM chunk c JOIN source s ON s.id = c.source_id
                WHERE c.key = found.key AND c.state <> 'dropped' AND s.state <> 'gone')
            UNION ALL
            SELECT key FROM unnest(%s::text[], %s::uuid[], %s::bigint[]) AS found (key, video, claim)
            WHERE NOT EXISTS (SELECT FROM part WHERE part.claim = found.claim)
                AND NOT EXISTS (
                    SELECT FROM video v JOIN job j ON j.id = v.job_id
                    WHERE v.id = found.video AND j.purged_at IS NULL AND (v.thumb_key = found.key OR EXISTS (
                        SELECT FROM variation WHERE video_id = v.id AND found.key IN (key, thumb_key))))
            """,
            (
                chunks,
                [one.key for one in made],
                [one.video for one in made],
                [min(one.claim, _LARGEST) for one in made],
            ),
        )
        return [row["key"] for row in await rows.fetchall()]


async def begin_search(database: Database) -> datetime:
    async with database.transaction() as connection:
        row = await (await connection.execute("SELECT now() AS at")).fetchone()
        assert row is not None
        at: datetime = row["at"]
        return at


async def note_orphans(database: Database, sizes: Mapping[str, int]) -> None:
    """They were seen; those that were seen before keep their age."""
    async with database.transaction() as connection:
        await connection.execute(
            """
            INSERT INTO orphan (key, size) SELECT * FROM unnest(%s::text[], %s::bigint[]) AS seen (key, size)
            ORDER BY key ON CONFLICT (key) DO UPDATE SET last_seen = now()
            """,
            (list(sizes), list(sizes.values())),
        )


async def forget_unseen(database: Database, began: datetime) -> None:
    """Those that nobody saw since: they are gone, or a row knows of them after all."""
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM orphan WHERE last_seen < %s", (began,))


async def due_orphans(database: Database, seconds: float, limit: int) -> list[str]:
    """Those that were first seen so long ago, by the database's clock."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT key FROM orphan WHERE first_seen <= now() - %s ORDER BY random() LIMIT %s",
            (timedelta(seconds=seconds), limit),
        )
        return [row["key"] for row in await rows.fetchall()]


async def forget_orphans(database: Database, keys: Sequence[str]) -> None:
    """They are deleted, or were none."""
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM orphan WHERE key = ANY(%s)", (list(keys),))
