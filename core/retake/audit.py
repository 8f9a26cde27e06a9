"""The audit: what must never be, looked for in database, bucket and stream. `python -m retake doctor` prints it.

Numbers are those of the invariants in docs/architecture.md. It only reads, goes job by job, and may run beside live
work; what can only be judged when nothing runs is asked with `at_rest`.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobMissing
from retake.blobs.keys import Result, of_job, parse
from retake.bus.connection import Bus
from retake.domain.timing import Timing
from retake.store import audit as rows
from retake.store import history
from retake.store.connect import Database


@dataclass(frozen=True)
class Violation:
    invariant: str
    what: str


async def audit(
    database: Database,
    blobs: Blobs | None,
    bus: Bus | None,
    timing: Timing,
    *,
    cap: int | None = None,
    at_rest: bool = False,
    deep: bool = False,
) -> AsyncIterator[Violation]:
    """`deep` reads every result and compares its bytes with the row's checksum; without `blobs` only rows are seen."""
    named = [
        ("I2", await history.changed_after_the_end(database)),
        ("I3", await history.published_twice(database)),
        ("I4", await history.committed_late(database)),
        ("I6", await rows.old_orphans(database, timing)),
        ("I8", await rows.purged_under_a_download(database)),
        ("I9", await rows.over_the_cap(database, cap) if cap is not None else []),
        ("I11", await history.not_stopped(database, timing)),
        ("I12", await rows.answers_without_a_job(database)),
        ("I5", await rows.failed_too_often(database)),
        ("I1", await rows.overdue(database, timing)),
        ("I9", await rows.ledger_errors(database)),
        ("I13", await rows.waiting_unwanted(database)),
        ("I1", await rows.forgotten_takes(database)),
        ("I1", await rows.unended(database) if at_rest else []),
    ]
    for invariant, found in named:
        for what in found:
            yield Violation(invariant, what)
    if at_rest and bus is not None and (left := await bus.waiting()):
        yield Violation("I13", f"{left} messages are left in the stream")
    async for job in rows.job_ids(database):
        for what in await rows.states_that_lie(database, job):
            yield Violation("I10", what)
        if blobs is not None:
            async for violation in _bytes(database, blobs, job, deep=deep):
                yield violation


async def _bytes(database: Database, blobs: Blobs, job: UUID, *, deep: bool) -> AsyncIterator[Violation]:
    """A row without its bytes is a bug; so are bytes of another claim under a row."""
    takes = await rows.published(database, job)  # before the bytes are listed: a take that comes in between has its own
    there = {blob.key: blob.size async for blob in blobs.listing(of_job(str(job))[0])}
    for take in takes:
        what = f"take {take.index} of video {take.video}"
        match parse(take.key):
            case Result(job=owner, video=video, index=index, claim=claim):
                if (owner, video, index, claim) != (str(job), str(take.video), take.index, take.claim):
                    yield Violation("I4", f"{what} shows {take.key}, which another claim wrote")
            case _:
                yield Violation("I4", f"{what} shows {take.key}, which is no result")
        if take.key not in there:
            yield Violation("I7", f"{what} has no object {take.key}")
        elif there[take.key] != take.size:
            yield Violation("I3", f"{what} has {there[take.key]} bytes instead of {take.size}")
        elif deep and await _sha256(blobs, take.key) != take.sha256:
            yield Violation("I3", f"{what} has other bytes than its row says")
    for key, size in await rows.promised_chunks(database, job):
        try:
            if (stored := await blobs.size(key)) != size:
                yield Violation("I7", f"{key} has {stored} bytes instead of {size}")
        except BlobMissing:
            yield Violation("I7", f"{key} of a source that is kept is not there")


async def _sha256(blobs: Blobs, key: str) -> str:
    whole = hashlib.sha256()
    async with blobs.stream(key) as pieces:
        async for piece in pieces:
            whole.update(piece)
    return whole.hexdigest()
