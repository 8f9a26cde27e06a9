"""What a test does with uploads, in as few words as possible."""

from uuid import UUID, uuid4

from retake.store.jobs import NewJob
from retake.store.room import Queue
from retake.store.sources import intend_chunk
from retake.store.uploads import Upload, begin_upload, continue_upload, find_uploads, piece_stored
from store.audit import complaints
from store.scene import Scene

LENGTH = 100
WIDE = Queue(jobs=1000, videos=1000)


async def begun(scene: Scene, length: int = LENGTH, cap: int | None = None) -> UUID:
    return await begin_upload(
        scene.database, scene.workspace, name="a.mp4", metadata="", length=length, cap=cap, queue=WIDE
    )


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
