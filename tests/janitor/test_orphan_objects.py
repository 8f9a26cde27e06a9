"""Objects without a row: they age from when they were first seen, and only what is ours ever goes."""

from uuid import uuid4

import pytest

from footage import TIMING, Footage
from retake.blobs.keys import Result, ResultThumb, SourceChunk, VideoThumb
from retake.domain.states import Wish
from retake.store import parts
from retake.store.jobs import wish
from retake_janitor import orphan_objects, purge, sources
from retake_janitor.orphan_objects import TooManyOrphans

pytestmark = pytest.mark.anyio


def strays() -> list[str]:
    """A key of every shape, of things that never were."""
    job, video = str(uuid4()), str(uuid4())
    return sorted(
        one.key
        for one in (
            SourceChunk(str(uuid4()), 0, uuid4().hex),
            Result(job, video, 1, 10**18),
            ResultThumb(job, video, 1, 9999999999999999999),
            VideoThumb(job, video, 7),
        )
    )


async def planted(footage: Footage, keys: list[str]) -> list[str]:
    for key in keys:
        await footage.blobs.put(key, b"stray")
    return keys


async def sweep(footage: Footage, **how: bool) -> int:
    return await orphan_objects.run_once(footage.database, footage.blobs, TIMING, **how)


async def pass_time(footage: Footage, interval: str) -> None:
    await footage.sql("UPDATE orphan SET first_seen = first_seen - %s::interval", interval)


async def test_orphans_go_two_hours_after_they_were_first_seen_and_not_before(footage: Footage) -> None:
    await footage.finished()
    before = await footage.objects()
    keys = await planted(footage, strays())

    first = await sweep(footage)
    await pass_time(footage, "1 hour 59 minutes")
    second, still = await sweep(footage), await footage.objects()
    await pass_time(footage, "1 minute")
    third = await sweep(footage)

    assert (first, second, third) == (0, 0, 4)
    assert still == sorted([*before, *keys])
    assert await footage.objects() == before
    assert await footage.sql("SELECT key FROM orphan") == []


async def test_everything_that_a_row_promises_is_no_orphan_at_whatever_age(footage: Footage) -> None:
    await footage.finished(["a.mp4", "b.mp4"])
    await footage.accepted()

    await sweep(footage)

    assert await footage.sql("SELECT key FROM orphan") == []


async def test_a_take_that_is_stored_and_not_committed_is_no_orphan_while_its_claim_runs(footage: Footage) -> None:
    job = await footage.planned()
    claimed, _ = await footage.claims(job)
    (key,) = await planted(footage, [Result(str(job.id), str(claimed.video), 1, claimed.number).key])

    await sweep(footage)
    running = await footage.sql("SELECT key FROM orphan")
    await parts.release(footage.database, claimed, TIMING, blocked=False)
    await sweep(footage)

    assert running == []
    assert await footage.sql("SELECT key FROM orphan") == [{"key": key}]


async def test_an_orphan_that_finds_its_row_or_is_gone_is_forgotten_and_begins_anew(footage: Footage) -> None:
    (key, *_) = await planted(footage, strays()[:1])
    await sweep(footage)
    await pass_time(footage, "1 day")

    await footage.blobs.delete(key)
    assert await sweep(footage) == 0
    await planted(footage, [key])

    assert await sweep(footage) == 0
    assert key in await footage.objects()


async def test_what_came_late_for_a_purged_job_or_a_source_that_is_gone_is_an_orphan(footage: Footage) -> None:
    job = await footage.finished(takes=1)
    late = [key for key in await footage.objects() if not key.startswith("thumbs/")]
    await wish(footage.database, job.id, Wish.EXPIRE, "age")
    await purge.run_once(footage.database, footage.blobs)
    await sources.run_once(footage.database, footage.blobs)
    await planted(footage, late)

    await sweep(footage)
    await pass_time(footage, "2 hours")

    assert await sweep(footage) == len(late)
    assert await footage.objects() == []


async def test_what_is_not_ours_is_neither_noted_nor_counted_nor_deleted(footage: Footage) -> None:
    job = uuid4()
    foreign = [
        "backup.tar", "sources/readme.txt", f"sources/{job}/00000-nothex", f"results/{job}/notes.mp4",
        f"results/{job}/{job}/01.1.mp4", f"thumbs/{job}/{job}.webp", f"SOURCES/{job}/00000-{'0' * 32}",
    ]  # fmt: skip
    await planted(footage, foreign)

    await sweep(footage)
    await pass_time(footage, "1 year")

    assert (await sweep(footage), await footage.sql("SELECT key FROM orphan")) == (0, [])
    assert await footage.objects() == sorted(foreign)


async def test_when_nine_of_ten_objects_have_no_row_nothing_is_deleted_until_somebody_insists(footage: Footage) -> None:
    keys = [SourceChunk(str(uuid4()), 0, uuid4().hex).key for _ in range(27)]
    await footage.source((await footage.accepted()).workspace, chunks=[100])
    await planted(footage, keys)
    with pytest.raises(TooManyOrphans, match="27 of 30 objects have no row"):
        await sweep(footage)
    await pass_time(footage, "1 day")

    with pytest.raises(TooManyOrphans, match="nothing was deleted"):
        await sweep(footage)

    assert len(await footage.objects()) == 30
    assert await sweep(footage, anyway=True) == 27
    assert len(await footage.objects()) == 3


async def test_a_few_orphans_are_not_suspicious_also_where_there_is_little_else(footage: Footage) -> None:
    await planted(footage, [SourceChunk(str(uuid4()), 0, uuid4().hex).key for _ in range(20)])

    assert await sweep(footage) == 0
