"""What began to arrive and never became a job's goes when its time is over: rows, bytes and room."""

import pytest

from footage import Footage
from retake.store.room import Queue
from retake.store.uploads import begin_upload
from retake.store.workspaces import ensure_workspace
from retake_janitor import abandoned_uploads

pytestmark = pytest.mark.anyio


async def charged(footage: Footage) -> int:
    (row,) = await footage.sql("SELECT sum(bytes)::int AS bytes FROM storage")
    return int(row["bytes"])


async def test_forms_uploads_and_unused_sources_go_when_their_time_is_over(footage: Footage) -> None:
    people = await ensure_workspace(footage.database, "people")
    await footage.arriving(people)
    wide = Queue(jobs=10, videos=10)
    upload = await begin_upload(footage.database, people, name="a.mp4", metadata="", length=5000, cap=None, queue=wide)
    await footage.chunk(upload)
    await footage.source(people)
    before = await charged(footage)

    early = await abandoned_uploads.run_once(footage.database, footage.blobs)
    there = len(await footage.objects())
    await footage.sql("UPDATE source SET touched_at = now() - interval '24 hours 1 second'")
    dry, still = await abandoned_uploads.run_once(footage.database, footage.blobs, dry=True), await charged(footage)
    late = await abandoned_uploads.run_once(footage.database, footage.blobs)

    assert (early, there, dry, late) == (0, 5, 3, 3)
    assert (before, still, await charged(footage)) == (5200, 5200, 0)
    assert await footage.objects() == []
    assert await footage.sql("SELECT key FROM chunk") == []


async def test_a_source_that_became_a_job_s_stays_however_old_it_is(footage: Footage) -> None:
    await footage.accepted()
    await footage.sql("UPDATE source SET touched_at = now() - interval '1 year'")

    assert await abandoned_uploads.run_once(footage.database, footage.blobs) == 0
    assert len(await footage.objects()) == 2


async def test_chunks_that_lost_their_place_go_at_once_and_the_others_stay(footage: Footage) -> None:
    people = await ensure_workspace(footage.database, "people")
    source = await footage.arriving(people)
    lost = await footage.chunk(source, 1)
    await footage.sql("UPDATE chunk SET state = 'dropped' WHERE key = %s", lost)

    await abandoned_uploads.run_once(footage.database, footage.blobs)

    assert lost not in await footage.objects()
    assert len(await footage.objects()) == len(await footage.sql("SELECT key FROM chunk")) == 2
