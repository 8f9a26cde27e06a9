"""Sources: bytes that arrive as immutable chunk objects, are finished by one row update, and go when nobody needs them.

A source belongs to no job. Its row is the lock between those who begin to need it and the sweep.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID, uuid4

from retake.store.connect import Connection, Database
from retake.store.move import charge_ledger
from retake.store.room import release

RESULT_FACTOR = Fraction(11, 10)
"""How many bytes a take may need, in sizes of its source, until its plan says better."""


class SourceGone(Exception):
    """The source's bytes are gone, or never became complete."""


def estimate(size: int, takes: int = 1) -> int:
    return math.ceil(RESULT_FACTOR * takes * size)


async def begin_source(database: Database, workspace: UUID) -> UUID:
    source = uuid4()
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO source (id, workspace) VALUES (%s, %s)", (source, workspace))
    return source


async def intend_chunk(
    database: Database, source: UUID, *, n: int, start: int, size: int, sha256: str, key: str
) -> None:
    """Before the bytes are put: so that no object exists that no row knows of."""
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO chunk (source_id, n, start, size, sha256, key) VALUES (%s, %s, %s, %s, %s, %s)",
            (source, n, start, size, sha256, key),
        )


async def chunk_done(database: Database, source: UUID, key: str) -> None:
    """Its bytes are in the store; or SourceGone, and it is dropped: the source was given up while it arrived."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "UPDATE source SET touched_at = now() WHERE id = %s AND state = 'open'", (source,)
        )
        there = rows.rowcount == 1
        await connection.execute(
            "UPDATE chunk SET state = %s WHERE key = %s AND state = 'intent'", ("done" if there else "dropped", key)
        )
    if not there:
        raise SourceGone


@dataclass(frozen=True)
class KeptFile:
    """A video of an earlier job, and its source."""

    name: str
    source: UUID
    size: int
    kept: bool


async def files_with_sources(
    database: Database, workspace: UUID, files: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], KeptFile]:
    """By job and video, those there are in this workspace."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT j.id AS job, v.id AS video, v.name, s.id AS source, coalesce(s.size, 0) AS size,
                   s.state = 'ready' AS kept
            FROM unnest(%s::uuid[], %s::uuid[]) AS asked (job, video)
            JOIN video v ON v.id = asked.video AND v.job_id = asked.job
            JOIN job j ON j.id = v.job_id
            JOIN source s ON s.id = v.source_id
            WHERE j.workspace = %s AND j.expired_because IS DISTINCT FROM 'deleted'
            """,
            ([job for job, _ in files], [video for _, video in files], workspace),
        )
        return {(row.pop("job"), row.pop("video")): KeptFile(**row) for row in await rows.fetchall()}


async def touch_arrival(database: Database, arrival: UUID, sources: Sequence[UUID]) -> None:
    """Bytes of the request still come: nothing of it is abandoned."""
    async with database.transaction() as connection:
        await connection.execute("UPDATE source SET touched_at = now() WHERE id = ANY(%s)", (list(sources),))
        await connection.execute("UPDATE reservation SET touched_at = now() WHERE id = %s", (arrival,))


async def finish_source(database: Database, *sources: UUID, arrival: UUID | None = None) -> int:
    """All bytes are here: the sources are ready, and counted instead of what `arrival` reserved. Returns their size."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE source SET state = 'ready', touched_at = now(),
                size = (SELECT coalesce(sum(size), 0) FROM chunk WHERE source_id = source.id AND state = 'done')
            WHERE id = ANY(%s) AND state = 'open' RETURNING size, workspace
            """,
            (list(sources),),
        )
        finished = await rows.fetchall()
        if len(finished) < len(sources):
            raise SourceGone("it was given up while it arrived")
        if arrival is not None:
            await release(connection, arrival)
        size: int = sum(row["size"] for row in finished)
        await charge_ledger(connection, finished[0]["workspace"], size)
        return size


async def lock_ready_sources(connection: Connection, workspace: UUID, sources: Collection[UUID]) -> dict[UUID, int]:
    """Size by source, of those that are ready. The sweep cannot take one away between here and the commit."""
    rows = await connection.execute(
        """
        SELECT id, size FROM source WHERE id = ANY(%s) AND workspace = %s AND state = 'ready'
        ORDER BY id FOR SHARE
        """,
        (list(sources), workspace),
    )
    return {row["id"]: row["size"] for row in await rows.fetchall()}


async def drop_unaccepted(database: Database, job: UUID, sources: Sequence[UUID]) -> list[str] | None:
    """Gives up the sources of a request that failed; returns the keys whose bytes may go.

    None when the job is there after all: once COMMIT was sent nobody knows without looking, and a plain look can be
    too early. 1. Lock the sources: an accept that is still committing holds them. 2. In a new statement: is there the
    job? 3. The rows first; their bytes after the commit.
    """
    async with database.transaction() as connection:
        await connection.execute("SELECT FROM source WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (sorted(sources),))
        rows = await connection.execute("SELECT FROM job WHERE id = %s", (job,))
        if await rows.fetchone() is not None:
            return None
        rows = await connection.execute(
            "SELECT id FROM source WHERE id = ANY(%s) AND NOT EXISTS (SELECT FROM video WHERE source_id = source.id)",
            (list(sources),),
        )
        unneeded = [row["id"] for row in await rows.fetchall()]
        await release(connection, job)
        return await give_up(connection, unneeded)


async def give_up(connection: Connection, sources: Sequence[UUID]) -> list[str]:
    """Sources that are locked and that nobody needs: returns the keys whose bytes may go after the commit."""
    rows = await connection.execute(
        """
        UPDATE source s SET state = 'gone' FROM source before
        WHERE s.id = ANY(%s) AND s.state <> 'gone' AND before.id = s.id
        RETURNING s.id, s.workspace, before.state, before.size
        """,
        (list(sources),),
    )
    gone = await rows.fetchall()
    for row in gone:
        if row["state"] == "ready":
            await charge_ledger(connection, row["workspace"], -row["size"])
    return await drop_chunks(connection, [row["id"] for row in gone])


async def drop_chunks(connection: Connection, sources: Sequence[UUID]) -> list[str]:
    rows = await connection.execute(
        "UPDATE chunk SET state = 'dropped' WHERE source_id = ANY(%s) RETURNING key", (list(sources),)
    )
    return [row["key"] for row in await rows.fetchall()]


async def forget_chunks(database: Database, keys: Sequence[str]) -> None:
    """Their bytes are deleted."""
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM chunk WHERE key = ANY(%s) AND state = 'dropped'", (list(keys),))


async def sweep_source(database: Database) -> list[str] | None:
    """Takes the row of one source that no video needs; returns the keys whose bytes may go, or None when there is none.

    1. A candidate, locked FOR UPDATE: accept and retry hold it FOR SHARE. 2. In a new statement, which sees what they
    committed meanwhile: still nobody needs it. 3. The row first; its bytes after the commit.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT s.id FROM source s
            WHERE s.state = 'ready' AND s.origin = 'upload' AND NOT source_needed(s.id)
                AND EXISTS (SELECT FROM video WHERE source_id = s.id)
            ORDER BY s.id LIMIT 1 FOR UPDATE OF s SKIP LOCKED
            """
        )
        row = await rows.fetchone()
        if row is None:
            return None
        rows = await connection.execute(
            """
            UPDATE source SET state = 'gone' WHERE id = %s AND state = 'ready' AND NOT source_needed(id)
            RETURNING workspace, size
            """,
            (row["id"],),
        )
        gone = await rows.fetchone()
        if gone is None:
            return []
        await charge_ledger(connection, gone["workspace"], -gone["size"])
        return await drop_chunks(connection, [row["id"]])


async def unneeded_sources(database: Database, limit: int) -> list[UUID]:
    """What the sweep would take."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT id FROM source
            WHERE state = 'ready' AND origin = 'upload' AND NOT source_needed(id)
                AND EXISTS (SELECT FROM video WHERE source_id = source.id)
            LIMIT %s
            """,
            (limit,),
        )
        return [row["id"] for row in await rows.fetchall()]
