"""Can the audit find what it is for? Each invariant is broken once, on purpose, and must be named."""

import pytest

from footage import TIMING, Footage
from retake.audit import audit
from retake.blobs.bucket import Blobs
from retake.domain.states import Wish
from retake.store.connect import Database
from retake.store.jobs import wish

pytestmark = [pytest.mark.anyio, pytest.mark.unsound(*(f"I{n}" for n in range(1, 14)), why="all are broken here")]


@pytest.fixture
async def spoilt(database: Database, blobs: Blobs) -> Footage:
    """A finished job, one that is being rendered and one that waits, to be spoilt: nobody asks for a clean audit."""
    footage = Footage(database, blobs)
    await footage.finished(takes=1)
    going = await footage.planned(takes=1)
    await footage.claims(going)
    await footage.accepted()
    assert await named(footage) == set()
    return footage


async def named(footage: Footage, **how: object) -> set[str]:
    found = audit(footage.database, footage.blobs, None, TIMING, **how)  # type: ignore[arg-type]
    return {violation.invariant async for violation in found}


COMPLETED = """
    INSERT INTO event (workspace, job_id, kind, body) SELECT workspace, job_id, kind, body FROM event
    WHERE kind = 'variation' AND body ->> 'status' = 'completed'
"""
SPOILERS = {
    "I1 a lease long past": "UPDATE part SET lease_until = now() - interval '1 hour' WHERE state = 'running'",
    "I1 a take in no part": "UPDATE part SET indices = '{2}' WHERE state = 'running'",
    "I2 an end after the end": """
        INSERT INTO event (workspace, job_id, kind, body)
        SELECT workspace, job_id, 'job', '{"status": "failed"}' FROM event
        WHERE kind = 'job' AND body ->> 'status' = 'completed'
    """,
    "I3 a take published twice": COMPLETED,
    "I3 another size": "UPDATE variation SET size = size + 1 WHERE state = 'completed'",
    "I4 another claim": "UPDATE variation SET claim = claim + 1 WHERE state = 'completed'",
    "I4 a commit after the loss": f"""
        INSERT INTO event (workspace, job_id, kind, body)
        SELECT j.workspace, j.id, 'lost', jsonb_build_object('claim', v.claim)
        FROM variation v JOIN video ON video.id = v.video_id JOIN job j ON j.id = video.job_id
        WHERE v.state = 'completed';
        {COMPLETED}
    """,
    "I5 a part lost too often": "UPDATE part SET failures = 6",
    "I6 an orphan that stays": """
        INSERT INTO orphan (key, size, first_seen) VALUES ('sources/x', 1, now() - interval '5 hours')
    """,
    "I7 a take without its object": "UPDATE variation SET key = replace(key, '.mp4', '.mp5') WHERE state = 'completed'",
    "I7 a source without its chunk": "UPDATE chunk SET key = key || '0'",
    "I8 bytes gone under a download": """
        UPDATE job SET wish = 'expire', state = 'expired', expired_because = 'age', purged_at = now()
        WHERE state = 'completed';
        INSERT INTO download (job_id, until) SELECT id, now() + interval '1 minute' FROM job WHERE state = 'expired'
    """,
    "I9 a ledger that is wrong": "UPDATE storage SET bytes = bytes + 1",
    "I10 a state that lies": "UPDATE job SET state = 'paused' WHERE state = 'queued'",
    "I11 a part that is not stopped": """
        UPDATE job SET wish = 'cancel', state = 'cancelling' WHERE state = 'processing';
        UPDATE event SET at = now() - interval '1 hour';
        INSERT INTO event (workspace, job_id, kind, at)
        SELECT workspace, id, 'wish', now() - interval '1 hour' FROM job WHERE wish = 'cancel'
    """,
    "I12 an answer without a job": """
        INSERT INTO idempotency (workspace, key, owner, lease_until, fingerprint, answer)
        SELECT id, 'key', gen_random_uuid(), now(), 'sha', json_build_object('jobId', gen_random_uuid()) FROM workspace
    """,
    "I13 a part that waits under cancel": "UPDATE job SET wish = 'cancel' WHERE state = 'queued'",
}


@pytest.mark.parametrize("what", SPOILERS)
async def test_what_must_not_be_is_found_and_named(spoilt: Footage, what: str) -> None:
    async with spoilt.database.transaction() as connection:
        for statement in SPOILERS[what].split(";"):
            await connection.execute(statement.encode())

    assert what.split(maxsplit=1)[0] in await named(spoilt)


async def test_bytes_that_are_not_those_of_the_row_are_found_by_who_looks_deep(spoilt: Footage) -> None:
    (take,) = await spoilt.sql("SELECT key, size FROM variation WHERE state = 'completed'")
    await spoilt.blobs.put(take["key"], b"x" * take["size"])

    assert await named(spoilt) == set()
    assert await named(spoilt, deep=True) == {"I3"}


async def test_more_than_the_cap_and_one_job_is_found(spoilt: Footage) -> None:
    assert await named(spoilt, cap=20_000) == set()
    assert await named(spoilt, cap=1) == {"I9"}


async def test_what_has_not_ended_is_found_at_rest(spoilt: Footage) -> None:
    assert await named(spoilt, at_rest=True) == {"I1"}


async def test_a_retry_and_an_expiry_are_no_change_after_the_end(spoilt: Footage) -> None:
    (job,) = await spoilt.sql("SELECT id FROM job WHERE state = 'completed'")
    await wish(spoilt.database, job["id"], Wish.EXPIRE, "age")

    assert await named(spoilt) == set()
