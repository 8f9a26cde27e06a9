"""Uploads: every move is a compare-and-set, and room is kept from the first byte on."""

import asyncio
from uuid import uuid4

import pytest

from retake.store.jobs import NewJob, accept
from retake.store.room import StorageFull
from retake.store.uploads import (
    OffsetMoved,
    UploadGone,
    UploadOpen,
    UploadUnknown,
    UploadUsed,
    continue_upload,
    dropped_chunks,
    end_upload,
    find_uploads,
)
from retake.store.workspaces import ensure_workspace
from store.audit import complaints
from store.scene import Scene
from store.uploading import LENGTH, begun, finished, job_of, look, put, used, written

pytestmark = pytest.mark.anyio


async def test_each_piece_moves_the_offset_and_the_last_one_makes_a_source(scene: Scene) -> None:
    upload, writer = await begun(scene), uuid4()
    await continue_upload(scene.database, upload, 0, writer)

    await written(scene, upload, writer, 0, 60)
    halfway = await look(scene, upload)
    await written(scene, upload, writer, 60, 40)

    assert (halfway.state, halfway.received, halfway.pieces) == ("open", 60, 1)
    assert (await look(scene, upload)).state == "finished"
    source = await scene.one("source", upload)
    assert (source["state"], source["size"]) == ("ready", LENGTH)
    chunks = await scene.sql("SELECT n, start, size, state FROM chunk ORDER BY n")
    assert [tuple(chunk.values()) for chunk in chunks] == [(0, 0, 60, "done"), (1, 60, 40, "done")]


async def test_its_bytes_count_from_its_start_and_only_once(scene: Scene) -> None:
    upload, writer = await begun(scene), uuid4()
    declared = await used(scene)
    await continue_upload(scene.database, upload, 0, writer)
    await written(scene, upload, writer, 0, 60)
    halfway = await used(scene)
    await written(scene, upload, writer, 60, 40)

    assert (declared, halfway, await used(scene)) == (LENGTH, LENGTH, LENGTH)
    assert await scene.sql("SELECT FROM reservation") == []


async def test_what_would_not_fit_is_refused_at_its_start_also_beside_what_is_only_declared(scene: Scene) -> None:
    await begun(scene, 60, cap=100)

    with pytest.raises(StorageFull) as full:
        await begun(scene, 41, cap=100)

    assert (full.value.needed, full.value.free) == (41, 40)
    assert await used(scene) == 60
    assert len(await scene.sql("SELECT FROM upload")) == 1


async def test_of_many_that_begin_at_once_only_those_that_fit_are_taken(scene: Scene) -> None:
    ended = await asyncio.gather(*(begun(scene, 40, cap=100) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(result, StorageFull) for result in ended) == 6
    assert await used(scene) == 80


async def test_a_writer_that_another_followed_stores_nothing_any_more(scene: Scene) -> None:
    upload, first, second = await begun(scene), uuid4(), uuid4()
    await continue_upload(scene.database, upload, 0, first)
    await written(scene, upload, first, 0, 10)
    await continue_upload(scene.database, upload, 10, second)

    with pytest.raises(OffsetMoved):
        await written(scene, upload, first, 10, 20)
    await written(scene, upload, second, 10, 30)

    assert (await look(scene, upload)).received == 40
    states = await scene.sql("SELECT size, state FROM chunk ORDER BY size")
    assert [tuple(row.values()) for row in states] == [(10, "done"), (20, "dropped"), (30, "done")]


@pytest.mark.parametrize("start", [0, 9, 11, 60], ids=["again", "overlapping", "one_byte_on", "after_a_gap"])
async def test_a_piece_that_begins_elsewhere_than_the_upload_ends_does_not_count(scene: Scene, start: int) -> None:
    upload, writer = await begun(scene), uuid4()
    await continue_upload(scene.database, upload, 0, writer)
    await written(scene, upload, writer, 0, 10)

    with pytest.raises(OffsetMoved):
        await written(scene, upload, writer, start, 40)

    assert (await look(scene, upload)).received == 10
    states = await scene.sql("SELECT size, state FROM chunk ORDER BY size")
    assert [tuple(row.values()) for row in states] == [(10, "done"), (40, "dropped")]


async def test_what_a_writer_left_half_put_is_dropped_by_the_next(scene: Scene) -> None:
    upload = await begun(scene)
    await continue_upload(scene.database, upload, 0, uuid4())
    left = await put(scene, upload, 0, 10)

    await continue_upload(scene.database, upload, 0, uuid4())

    assert await dropped_chunks(scene.database) == [left]


@pytest.mark.parametrize("offset", [0, 9, 11, LENGTH])
async def test_nobody_continues_at_another_offset(scene: Scene, offset: int) -> None:
    upload, writer = await begun(scene), uuid4()
    await continue_upload(scene.database, upload, 0, writer)
    await written(scene, upload, writer, 0, 10)

    with pytest.raises(OffsetMoved):
        await continue_upload(scene.database, upload, offset, uuid4())

    await written(scene, upload, writer, 10, 10)


async def test_of_two_jobs_that_want_one_upload_one_gets_it_and_the_other_learns_which(scene: Scene) -> None:
    upload = await finished(scene)
    first, second = job_of(scene, upload), job_of(scene, upload)

    ended = await asyncio.gather(*(accept(scene.database, one) for one in (first, second)), return_exceptions=True)

    (lost,) = [result for result in ended if isinstance(result, UploadUsed)]
    ((winner,),) = [tuple(row.values()) for row in await scene.sql("SELECT id FROM job")]
    assert lost.job == winner == (await look(scene, upload)).job_id
    assert (await look(scene, upload)).state == "used"
    assert await complaints(scene.database) == []


async def test_a_job_gets_all_of_its_uploads_or_none(scene: Scene) -> None:
    good, lacking = await finished(scene), await begun(scene)

    with pytest.raises(UploadOpen) as lacks:
        await accept(scene.database, job_of(scene, good, lacking))

    assert (lacks.value.upload, lacks.value.lacking) == (lacking, LENGTH)
    assert (await look(scene, good)).state == "finished"
    assert await scene.sql("SELECT FROM job") == []


async def test_another_workspace_knows_nothing_of_an_upload(scene: Scene) -> None:
    upload = await finished(scene)
    stranger = await ensure_workspace(scene.database, "stranger")

    with pytest.raises(UploadUnknown):
        await accept(scene.database, NewJob(stranger, [("a", upload)], 1, seed=1, uploads=[upload]))

    assert await find_uploads(scene.database, stranger, [upload]) == {}


async def test_an_ended_upload_gives_up_its_bytes_and_its_room(scene: Scene) -> None:
    upload, writer = await begun(scene), uuid4()
    await continue_upload(scene.database, upload, 0, writer)
    key = await written(scene, upload, writer, 0, 10)

    assert await end_upload(scene.database, upload) == [key]

    assert (await look(scene, upload)).state == "gone"
    assert await used(scene) == 0
    assert await end_upload(scene.database, upload) == []
    with pytest.raises(OffsetMoved):
        await written(scene, upload, writer, 10, 10)
    with pytest.raises(UploadGone):
        await accept(scene.database, job_of(scene, upload))


async def test_a_used_upload_is_not_ended(scene: Scene) -> None:
    upload = await finished(scene)
    await accept(scene.database, job_of(scene, upload))

    assert await end_upload(scene.database, upload) == []

    assert (await scene.one("source", upload))["state"] == "ready"
