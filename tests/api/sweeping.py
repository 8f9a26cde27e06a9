"""What is left of uploads when the janitor has come by."""

from api.conftest import rows
from retake.blobs.bucket import Blobs
from retake.store.connect import Database
from retake_janitor import abandoned_uploads


async def aged(database: Database) -> None:
    """No byte of any upload has come for a day."""
    await rows(database, "UPDATE source SET touched_at = now() - interval '25 h' RETURNING 1")
    await rows(database, "UPDATE reservation SET touched_at = now() - interval '25 h' RETURNING 1")


async def a_day_later(database: Database, blobs: Blobs) -> None:
    """The janitor comes by, and the time of all that never became a job's is over."""
    await aged(database)
    await abandoned_uploads.run_once(database, blobs)


async def only_what_jobs_have_is_left(database: Database, blobs: Blobs) -> None:
    """No source but those of videos, no chunk but theirs, no object but those, and no room that is kept for more."""
    needed = await rows(database, "SELECT DISTINCT source_id AS id FROM video ORDER BY id")
    assert await rows(database, "SELECT id FROM source WHERE state <> 'gone' ORDER BY id") == needed
    chunks = await rows(database, "SELECT key, state FROM chunk ORDER BY key")
    assert {row["state"] for row in chunks} <= {"done"}
    assert sorted([blob.key async for blob in blobs.listing()]) == [row["key"] for row in chunks]
    assert await rows(database, "SELECT FROM reservation") == []
