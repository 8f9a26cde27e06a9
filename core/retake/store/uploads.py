"""Uploads that are continued until they are whole: open -> finished -> used by a job, or gone.

An upload is the source of the same id, as it grows. Its row says how far it is, and every move is a compare-and-set on
it: the offset moves when a piece is stored, and only for the writer that came last, so two never interleave.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from retake import tracing
from retake.store.connect import Connection, Database
from retake.store.move import charge_ledger
from retake.store.room import Queue, enqueue_upload, release, reserve_bytes
from retake.store.sources import give_up

LIFE = timedelta(hours=24)
"""For how long after its last byte an upload can be continued, and then used."""
FORM_LIFE = timedelta(hours=2)
"""For how long a request whose bytes stopped may still become a job. While they come, it is touched every minute."""
MEMORY = timedelta(days=7)
"""For how long an upload that was used or is gone can say so."""


class UploadRefused(Exception):
    """No job can be made of it."""

    def __init__(self, upload: UUID) -> None:
        super().__init__(str(upload))
        self.upload = upload


class UploadUnknown(UploadRefused):
    """There is none, or it is somebody else's."""


class UploadGone(UploadRefused):
    """It was ended, or its time is over."""


class UploadUsed(UploadRefused):
    """A job has it already."""

    def __init__(self, upload: UUID, job: UUID) -> None:
        super().__init__(upload)
        self.job = job


class UploadOpen(UploadRefused):
    """It lacks bytes."""

    def __init__(self, upload: UUID, lacking: int) -> None:
        super().__init__(upload)
        self.lacking = lacking


class OffsetMoved(Exception):
    """The upload is elsewhere, or another writes it now."""


@dataclass(frozen=True)
class Upload:
    id: UUID
    name: str
    metadata: str
    length: int
    received: int
    pieces: int
    head: bytes | None
    """The first bytes, as long as they are too few to tell what they begin; None once it is known."""
    state: str
    job_id: UUID | None
    expires_at: datetime
    traceparent: str | None = None

    @property
    def usable(self) -> bool:
        """Neither used nor gone."""
        return self.state in {"open", "finished"}


async def begin_upload(
    database: Database, workspace: UUID, *, name: str, metadata: str, length: int, cap: int | None, queue: Queue
) -> UUID:
    upload = uuid4()
    async with database.transaction() as connection:
        await enqueue_upload(connection, workspace, queue)
        await connection.execute("INSERT INTO source (id, workspace) VALUES (%s, %s)", (upload, workspace))
        await connection.execute(
            "INSERT INTO upload (id, name, metadata, length, traceparent) VALUES (%s, %s, %s, %s, %s)",
            (upload, name, metadata, length, tracing.traceparent()),
        )
        await reserve_bytes(connection, upload, workspace, length, cap)
    return upload


async def find_uploads(database: Database, workspace: UUID, uploads: Collection[UUID]) -> dict[UUID, Upload]:
    """By id, those there are in this workspace. One whose time is over is gone, swept or not."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT u.id, u.name, u.metadata, u.length, u.received, u.pieces, u.head, u.job_id, u.traceparent,
                   s.touched_at + %(life)s AS expires_at,
                   CASE WHEN u.state IN ('open', 'finished') AND s.touched_at + %(life)s <= now() THEN 'gone'
                        ELSE u.state END AS state
            FROM upload u JOIN source s ON s.id = u.id WHERE u.id = ANY(%(uploads)s) AND s.workspace = %(workspace)s
            """,
            {"life": LIFE, "uploads": list(uploads), "workspace": workspace},
        )
        return {row["id"]: Upload(**row) for row in await rows.fetchall()}


async def continue_upload(database: Database, upload: UUID, offset: int, writer: UUID) -> None:
    """From now on `writer` writes it, from `offset` on, and nobody else; or OffsetMoved.

    1. The writer is set, where the upload is open, in time and at that offset. 2. What those before left half put is
    dropped; if one of them still lives, its next piece finds another writer in the row.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE upload u SET writer = %s FROM source s
            WHERE u.id = %s AND s.id = u.id AND u.state = 'open' AND u.received = %s AND s.touched_at + %s > now()
            """,
            (writer, upload, offset, LIFE),
        )
        if rows.rowcount == 0:
            raise OffsetMoved
        await connection.execute(
            "UPDATE chunk SET state = 'dropped' WHERE source_id = %s AND state = 'intent'", (upload,)
        )


async def piece_stored(
    database: Database, upload: UUID, writer: UUID, *, key: str, start: int, size: int, head: bytes | None
) -> None:
    """A piece's bytes are in the store: the offset moves behind it; or OffsetMoved, and the piece is dropped.

    1. The offset moves, where it is the piece's start and the writer is still this one; the last byte finishes the
    upload. 2. The piece is done, and the upload touched. 3. Finished: the source is ready, and its bytes count as
    stored instead of reserved.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE upload SET received = received + %(size)s, pieces = pieces + 1, head = %(head)s,
                state = CASE WHEN received + %(size)s = length THEN 'finished' ELSE 'open' END
            WHERE id = %(id)s AND state = 'open' AND writer = %(writer)s AND received = %(start)s
            RETURNING state, length
            """,
            {"id": upload, "writer": writer, "start": start, "size": size, "head": head},
        )
        row = await rows.fetchone()
        if row is not None:
            await connection.execute("UPDATE chunk SET state = 'done' WHERE key = %s", (key,))
            await connection.execute("UPDATE source SET touched_at = now() WHERE id = %s", (upload,))
            if row["state"] == "finished":
                await _finish(connection, upload, row["length"])
            return
        await connection.execute("UPDATE chunk SET state = 'dropped' WHERE key = %s", (key,))
    raise OffsetMoved


async def _finish(connection: Connection, upload: UUID, size: int) -> None:
    rows = await connection.execute(
        "UPDATE source SET state = 'ready', size = %s WHERE id = %s RETURNING workspace", (size, upload)
    )
    row = await rows.fetchone()
    assert row is not None
    await release(connection, upload)
    await charge_ledger(connection, row["workspace"], size)


async def end_upload(database: Database, upload: UUID) -> list[str]:
    """Gives it up, unless it was used or is gone; returns the keys whose bytes may go."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "SELECT FROM upload WHERE id = %s AND state IN ('open', 'finished') FOR UPDATE", (upload,)
        )
        return [] if await rows.fetchone() is None else await _end(connection, upload)


async def _end(connection: Connection, upload: UUID) -> list[str]:
    await connection.execute("SELECT FROM source WHERE id = %s FOR UPDATE", (upload,))
    await connection.execute("UPDATE upload SET state = 'gone' WHERE id = %s", (upload,))
    await release(connection, upload)
    return await give_up(connection, [upload])


async def lock_finished(connection: Connection, workspace: UUID, uploads: Collection[UUID]) -> None:
    """They are finished, unused and in time, and stay so until the end of this transaction; or what is wrong."""
    if not uploads:
        return
    rows = await connection.execute(
        """
        SELECT u.id, u.state, u.job_id, u.length - u.received AS lacking, s.touched_at + %s <= now() AS late
        FROM upload u JOIN source s ON s.id = u.id
        WHERE u.id = ANY(%s) AND s.workspace = %s ORDER BY u.id FOR UPDATE OF u
        """,
        (LIFE, list(uploads), workspace),
    )
    found = {row["id"]: row for row in await rows.fetchall()}
    for upload in uploads:
        match found.get(upload):
            case None:
                raise UploadUnknown(upload)
            case {"state": "used", "job_id": job}:
                raise UploadUsed(upload, job)
            case {"state": "gone"} | {"late": True}:
                raise UploadGone(upload)
            case {"state": "open", "lacking": lacking}:
                raise UploadOpen(upload, lacking)


async def use_uploads(connection: Connection, uploads: Collection[UUID], job: UUID) -> None:
    """They are locked and finished; from now on they are this job's."""
    if uploads:
        await connection.execute(
            "UPDATE upload SET state = 'used', job_id = %s WHERE id = ANY(%s)", (job, list(uploads))
        )


async def sweep_abandoned(database: Database) -> list[str] | None:
    """Gives up one source that never became a job's and whose time is over; returns the keys whose bytes may go.

    None when there is none. 1. A candidate, without a lock. 2. Its upload, if it is one, then the source, in the order
    in which accept locks them. 3. In a new statement, which sees what was committed meanwhile: its time is still over,
    and no video needs it. 4. The rows first; the bytes after the commit.
    """
    async with database.transaction() as connection:
        rows = await connection.execute(_ABANDONED, {"life": LIFE, "form": FORM_LIFE, "id": None, "most": 1})
        row = await rows.fetchone()
        if row is None:
            return None
        source = row["id"]
        await connection.execute("SELECT FROM upload WHERE id = %s FOR UPDATE", (source,))
        await connection.execute("SELECT FROM source WHERE id = %s FOR UPDATE", (source,))
        rows = await connection.execute(_ABANDONED, {"life": LIFE, "form": FORM_LIFE, "id": source, "most": 1})
        return [] if await rows.fetchone() is None else await _end(connection, source)


_ABANDONED = """
    SELECT s.id FROM source s LEFT JOIN upload u ON u.id = s.id
    WHERE s.state <> 'gone' AND s.origin = 'upload' AND (%(id)s::uuid IS NULL OR s.id = %(id)s)
        AND s.touched_at + CASE WHEN u.id IS NULL THEN %(form)s::interval ELSE %(life)s::interval END <= now()
        AND NOT EXISTS (SELECT FROM video WHERE source_id = s.id)
    LIMIT %(most)s
"""


async def abandoned(database: Database, most: int) -> list[UUID]:
    """What the sweep would give up."""
    async with database.transaction() as connection:
        rows = await connection.execute(_ABANDONED, {"life": LIFE, "form": FORM_LIFE, "id": None, "most": most})
        return [row["id"] for row in await rows.fetchall()]


async def sweep_reservations(database: Database) -> int:
    """Releases what was reserved by requests that died; how many there were."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            SELECT r.id FROM reservation r
            WHERE r.touched_at + %s <= now() AND NOT EXISTS (SELECT FROM upload WHERE id = r.id)
            ORDER BY r.id LIMIT 1000 FOR UPDATE SKIP LOCKED
            """,
            (FORM_LIFE,),
        )
        dead = [row["id"] for row in await rows.fetchall()]
        for arrival in dead:
            await release(connection, arrival)
        return len(dead)


async def dropped_chunks(database: Database, most: int = 1000) -> list[str]:
    """Keys whose bytes may go, or went, and whose rows are still there: delete the bytes, then `forget_chunks`."""
    async with database.transaction() as connection:
        await connection.execute(
            """
            UPDATE chunk SET state = 'dropped' FROM source s
            WHERE chunk.state = 'intent' AND s.id = chunk.source_id AND s.state <> 'open'
            """
        )
        rows = await connection.execute("SELECT key FROM chunk WHERE state = 'dropped' LIMIT %s", (most,))
        return [row["key"] for row in await rows.fetchall()]


async def forget_uploads(database: Database) -> int:
    """Rows of uploads that were used or are gone, once nobody asks any more."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            DELETE FROM upload u USING source s
            WHERE s.id = u.id AND u.state IN ('used', 'gone') AND s.touched_at + %s <= now()
            """,
            (MEMORY,),
        )
        return rows.rowcount
