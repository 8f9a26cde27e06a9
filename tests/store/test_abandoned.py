"""What never became a job: given up when its time is over, rows first, and nothing that counts with it."""

import asyncio
from uuid import uuid4

import pytest

from conftest import eventually
from retake.store.jobs import accept
from retake.store.room import reserve
from retake.store.sources import begin_source, chunk_done, finish_source, forget_chunks, intend_chunk
from retake.store.uploads import (
    OffsetMoved,
    UploadGone,
    continue_upload,
    dropped_chunks,
    end_upload,
    forget_uploads,
    sweep_abandoned,
    sweep_reservations,
)
from store.audit import complaints
from store.scene import Scene
from store.uploading import LENGTH, WIDE, age, begun, finished, job_of, look, put, used, written

pytestmark = pytest.mark.anyio


async def test_an_upload_is_gone_24_hours_after_its_last_byte_swept_or_not(scene: Scene) -> None:
    open_one, whole = await begun(scene), await finished(scene)
    await age(scene, 23.9)
    before = [(await look(scene, upload)).state for upload in (open_one, whole)]

    await age(scene, 24.1)

    assert before == ["open", "finished"]
    assert [(await look(scene, upload)).state for upload in (open_one, whole)] == ["gone", "gone"]
    with pytest.raises(OffsetMoved):
        await continue_upload(scene.database, open_one, 0, uuid4())
    with pytest.raises(UploadGone):
        await accept(scene.database, job_of(scene, whole))


async def test_abandoned_uploads_are_swept_open_or_finished_and_used_ones_are_not(scene: Scene) -> None:
    taken, whole, lacking = await finished(scene), await finished(scene), await begun(scene)
    await accept(scene.database, job_of(scene, taken))
    keys = {row["source_id"]: row["key"] for row in await scene.sql("SELECT source_id, key FROM chunk")}
    before = await sweep_abandoned(scene.database)
    await age(scene, 24.1)

    swept = [await sweep_abandoned(scene.database) for _ in range(3)]

    assert before is None
    assert sorted(swept[:2]) == [[], [keys[whole]]]
    assert swept[2] is None
    assert [(await look(scene, one)).state for one in (taken, whole, lacking)] == ["used", "gone", "gone"]
    assert await complaints(scene.database) == []


@pytest.mark.parametrize("complete", [False, True])
async def test_a_request_that_died_is_swept_two_hours_after_its_last_byte(scene: Scene, complete: bool) -> None:
    source, arrival = await begin_source(scene.database, scene.workspace), uuid4()
    await reserve(scene.database, arrival, scene.workspace, 50, cap=None, queue=WIDE)
    await intend_chunk(scene.database, source, n=0, start=0, size=10, sha256="sha", key="key")
    await chunk_done(scene.database, source, "key")
    if complete:
        await finish_source(scene.database, source, arrival=arrival)
    await age(scene, 1.9)
    before = [await sweep_abandoned(scene.database), await sweep_reservations(scene.database)]
    await age(scene, 2.1)

    assert await sweep_abandoned(scene.database) == ["key"]
    assert await sweep_reservations(scene.database) == (0 if complete else 1)

    assert before == [None, 0]
    assert await sweep_abandoned(scene.database) is None
    assert await used(scene) == 0


async def test_an_upload_s_room_is_not_swept_as_that_of_a_request(scene: Scene) -> None:
    await begun(scene)
    await age(scene, 2.1)

    assert await sweep_reservations(scene.database) == 0

    assert await used(scene) == LENGTH


async def test_a_sweep_waits_for_an_accept_and_then_leaves_its_upload(scene: Scene) -> None:
    upload = await finished(scene)
    await age(scene, 24.1)
    async with scene.database.transaction() as holding:
        await holding.execute("SELECT FROM upload WHERE id = %s FOR UPDATE", (upload,))
        sweeping = asyncio.create_task(sweep_abandoned(scene.database))
        await eventually(lambda: scene.waiting(1))
        await holding.execute("UPDATE source SET touched_at = now() WHERE id = %s", (upload,))

    assert await sweeping == []

    assert (await look(scene, upload)).state == "finished"


async def test_dropped_chunks_are_named_until_they_are_forgotten(scene: Scene) -> None:
    upload, writer = await begun(scene), uuid4()
    await continue_upload(scene.database, upload, 0, writer)
    stored, half = await written(scene, upload, writer, 0, 10), await put(scene, upload, 10, 10)
    await end_upload(scene.database, upload)
    late = await put(scene, upload, 20, 10)

    assert sorted(await dropped_chunks(scene.database)) == sorted([stored, half, late])

    await forget_chunks(scene.database, [stored, half])
    assert await dropped_chunks(scene.database) == [late]


async def test_chunks_that_count_are_neither_dropped_nor_forgotten(scene: Scene) -> None:
    upload = await finished(scene)
    (chunk,) = await scene.sql("SELECT key FROM chunk")

    await forget_chunks(scene.database, [chunk["key"]])

    assert await dropped_chunks(scene.database) == []
    assert await scene.sql("SELECT source_id FROM chunk") == [{"source_id": upload}]


async def test_rows_of_what_is_over_are_kept_for_a_week(scene: Scene) -> None:
    gone, open_one = await begun(scene), await begun(scene)
    await end_upload(scene.database, gone)
    before = await forget_uploads(scene.database)
    await age(scene, 8 * 24)

    assert (before, await forget_uploads(scene.database)) == (0, 1)

    assert [row["id"] for row in await scene.sql("SELECT id FROM upload")] == [open_one]
