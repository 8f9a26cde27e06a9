"""Inspect parts as a worker does them: real Postgres, NATS and S3, real files."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from clips import Clips
from conftest import eventually
from retake.blobs.bucket import Blobs, open_blobs
from retake.bus.connection import open_bus
from retake.domain.limits import Limits
from retake.domain.timing import Timing
from retake.relay import Relay
from retake.settings import Bucket, Nats
from retake.store import sources
from retake.store.connect import Database
from retake.store.jobs import NewJob, accept
from retake.store.workspaces import ensure_workspace
from retake_worker.consume import Consumer
from retake_worker.scratch import Scratch
from retake_worker.tools import Tools
from store.audit import complaints

pytestmark = pytest.mark.anyio

CHUNK = 50_000


@pytest.fixture
async def blobs(bucket: Bucket) -> AsyncIterator[Blobs]:
    async with open_blobs(bucket) as opened:
        yield opened


@pytest.fixture
async def worker(database: Database, blobs: Blobs, nats: Nats, ffmpeg: Path, tmp_path: Path) -> AsyncIterator[Path]:
    """A worker and a relay that work for as long as the test does; the worker's scratch folder."""
    timing = Timing.scaled(0.05)
    async with open_bus(nats, timing, name="worker") as bus, open_bus(nats, timing, name="relay") as relay_bus:
        tools = Tools(database, blobs, bus, timing, Scratch(tmp_path, "w"), "w", 1, ffmpeg, Limits(seconds=6))
        tasks = [
            asyncio.create_task(Consumer(tools).run()),
            asyncio.create_task(Relay(database, relay_bus, timing, "relay").run()),
        ]
        yield tmp_path / "w"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def stored(database: Database, blobs: Blobs, workspace: uuid.UUID, data: bytes) -> uuid.UUID:
    """A source in several chunks."""
    source = await sources.begin_source(database, workspace)
    for n, start in enumerate(range(0, len(data), CHUNK)):
        piece = data[start : start + CHUNK]
        key = f"sources/{source}/{n:05d}-{uuid.uuid4().hex}"
        digest = hashlib.sha256(piece).hexdigest()
        await sources.intend_chunk(database, source, n=n, start=start, size=len(piece), sha256=digest, key=key)
        await blobs.put(key, piece)
        await sources.chunk_done(database, source, key)
    await sources.finish_source(database, source)
    return source


async def rows(database: Database, statement: str, *values: Any) -> list[dict[str, Any]]:
    async with database.transaction() as connection:
        return await (await connection.execute(statement.encode(), values)).fetchall()


async def inspected(database: Database, blobs: Blobs, files: dict[str, bytes], takes: int = 3) -> list[dict[str, Any]]:
    """A job of these files, when every inspect part of it is done; its videos."""
    workspace = await ensure_workspace(database, "people")
    named = [(name, await stored(database, blobs, workspace, data)) for name, data in files.items()]
    job = NewJob(workspace, named, takes, seed=7)
    await accept(database, job)

    async def done() -> bool:
        left = await rows(
            database, "SELECT FROM part WHERE job_id = %s AND kind = 'inspect' AND state <> 'done'", job.id
        )
        return not left

    await eventually(done, within=30)
    return await rows(
        database,
        """
        SELECT v.*, s.sha256, s.size FROM video v JOIN source s ON s.id = v.source_id
        WHERE v.job_id = %s ORDER BY v.position
        """,
        job.id,
    )


async def test_a_good_video_gets_its_figures_its_thumbnail_and_a_recipe_for_each_take(
    clips: Clips, database: Database, blobs: Blobs, worker: Path
) -> None:
    data = clips("motion").read_bytes()

    (video,) = await inspected(database, blobs, {"motion.mp4": data})

    assert (video["error_code"], video["sha256"]) == (None, hashlib.sha256(data).hexdigest())
    assert (video["probe"]["width"], video["probe"]["frames"], video["probe"]["fps"]) == (480, 60, "30")
    assert (await blobs.get(video["thumb_key"]))[8:12] == b"WEBP"
    takes = await rows(database, "SELECT * FROM variation WHERE video_id = %s ORDER BY index", video["id"])
    assert [take["recipe"]["index"] for take in takes] == [1, 2, 3]
    assert len({str(take["recipe"]["effects"]) for take in takes}) == 3
    assert await complaints(database) == []


async def test_each_bad_file_fails_alone_with_its_own_sentence(
    clips: Clips, database: Database, blobs: Blobs, worker: Path
) -> None:
    names = ("motion", "bit_flipped", "truncated", "sound_only", "playlist", "long", "vertical")

    videos = await inspected(database, blobs, {f"{name}.mp4": clips(name).read_bytes() for name in names}, takes=1)

    assert [video["error_code"] for video in videos] == [
        None, "corrupt", "truncated", "no_video_stream", "not_a_video", "too_long", None
    ]  # fmt: skip
    sentences = [video["error"] for video in videos if video["error"]]
    assert len(set(sentences)) == 5
    assert not any(word in sentence for word in ("ffmpeg", "moov", str(worker)) for sentence in sentences)
    assert await complaints(database) == []


async def test_a_video_of_another_name_and_the_same_bytes_gets_the_same_recipes(
    clips: Clips, database: Database, blobs: Blobs, worker: Path
) -> None:
    data = clips("unicode").read_bytes()

    one, other = await inspected(database, blobs, {"Größe 🎬.mp4": data, "again.mp4": data})

    recipes = [
        [take["recipe"] for take in await rows(
            database, "SELECT recipe FROM variation WHERE video_id = %s ORDER BY index", video["id"]
        )]
        for video in (one, other)
    ]  # fmt: skip
    assert recipes[0] == recipes[1]
    assert one["thumb_key"] != other["thumb_key"]


async def test_a_matroska_file_is_planned_as_what_is_in_it_and_keeps_the_checksum_of_what_was_uploaded(
    clips: Clips, database: Database, blobs: Blobs, worker: Path
) -> None:
    whole, cut = clips("mkv").read_bytes(), clips("mkv_cut").read_bytes()

    video, truncated = await inspected(database, blobs, {"a.mkv": whole, "b.mkv": cut}, takes=1)

    assert (video["error_code"], video["sha256"]) == (None, hashlib.sha256(whole).hexdigest())
    assert (video["probe"]["frames"], video["probe"]["sound"]["codec"]) == (60, "aac")
    assert truncated["error_code"] == "truncated"
