"""Uploads: every move is a compare-and-set, room is kept from the first byte on, and what is abandoned is given up."""

import asyncio
from uuid import UUID, uuid4

import pytest

from conftest import eventually
from retake.store.jobs import NewJob, accept
from retake.store.room import Queue, QueueFull, StorageFull, reserve
from retake.store.sources import begin_source, chunk_done, finish_source, forget_chunks, intend_chunk
from retake.store.uploads import (
    OffsetMoved,
    Upload,
    UploadGone,
    UploadOpen,
    UploadUnknown,
    UploadUsed,
    begin_upload,
    continue_upload,
    dropped_chunks,
    end_upload,
    find_uploads,
    forget_uploads,
    piece_stored,
    sweep_abandoned,
    sweep_reservations,
)
from retake.store.workspaces import ensure_workspace
from store.audit import complaints
from store.scene import Scene

pytestmark = pytest.mark.anyio

LENGTH = 100
WIDE = Queue(jobs=1000, videos=1000)


async def begun(scene: Scene, length: int = LENGTH, cap: int | None = None) -> UUID:
    return await begin_upload(scene.database, scene.workspace, name="a.mp4", metadata="", length=length, cap=cap)


async def put(scene: Scene, upload: UUID, start: int, size: int) -> str:
    """The intent of a piece: what its writer has when its bytes are in the store."""
    key = f"sources/{upload}/{start:05d}-{uuid4().hex}"
    n = (await look(scene, upload)).pieces
    await intend_chunk(scene.database, upload, n=n, start=start, size=size, sha256="sha", key=key)
    return key


async def written(scene: Scene, upload: UUID, writer: UUID, start: int, size: int) -> str:
    key = await put(scene, upload, start, size)
    await piece_stored(scene.database, upload, writer, key=key, start=start, size=size, head=None)
    return key


async def finished(scene: Scene) -> UUID:
    upload, writer = await begun(scene), uuid4()
    await continue_upload(scene.database, upload, 0, writer)
    await written(scene, upload, writer, 0, LENGTH)
    return upload


async def look(scene: Scene, upload: UUID) -> Upload:
    return (await find_uploads(scene.database, scene.workspace, [upload]))[upload]


async def used(scene: Scene) -> int:
    assert await complaints(scene.database) == []
    (row,) = await scene.sql("SELECT bytes FROM storage WHERE workspace = %s", scene.workspace)
    return int(row["bytes"])


async def age(scene: Scene, hours: float) -> None:
    await scene.sql("UPDATE source SET touched_at = now() - %s * interval '1 h'", hours)
    await scene.sql("UPDATE reservation SET touched_at = now() - %s * interval '1 h'", hours)


def job_of(scene: Scene, *uploads: UUID) -> NewJob:
    return NewJob(scene.workspace, [("a.mp4", upload) for upload in uploads], 1, seed=1, uploads=uploads)


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


async def test_a_queue_that_is_full_takes_no_more_jobs_until_one_has_ended(scene: Scene) -> None:
    await scene.job()
    await scene.ended()
    source = await scene.source()

    for one in (Queue(jobs=1, videos=9), Queue(jobs=9, videos=1)):
        with pytest.raises(QueueFull):
            await accept(scene.database, NewJob(scene.workspace, [("a", source)], 1, seed=1), queue=one)
        with pytest.raises(QueueFull):
            await reserve(scene.database, uuid4(), scene.workspace, 1, cap=None, queue=one)
    await accept(scene.database, NewJob(scene.workspace, [("a", source)], 1, seed=1), queue=Queue(jobs=2, videos=2))

    assert len(await scene.sql("SELECT FROM job")) == 3


async def test_of_many_jobs_at_once_only_those_the_queue_holds_are_taken(scene: Scene) -> None:
    source = await scene.source()
    new = [NewJob(scene.workspace, [("a", source)], 1, seed=1) for _ in range(8)]

    ended = await asyncio.gather(
        *(accept(scene.database, one, queue=Queue(jobs=3, videos=99)) for one in new), return_exceptions=True
    )

    assert sum(isinstance(result, QueueFull) for result in ended) == 5
    assert len(await scene.sql("SELECT FROM job")) == 3
