"""A render part from its claim to its last commit, on real rows, a real bucket and the real ffmpeg."""

import hashlib
import shutil
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from clips import Clips, hollow
from playback import Player
from retake.blobs.bucket import Blobs, open_blobs
from retake.blobs.keys import Result, ResultThumb, SourceChunk
from retake.bus.connection import open_bus
from retake.domain.candidates import Candidates
from retake.domain.errors import CORRUPT, BadInput
from retake.domain.work import RECIPE_VERSION, Claim, Plan, Planned
from retake.settings import Bucket, Nats
from retake.store import parts, sources
from retake.store.connect import Database
from retake.store.jobs import NewJob, accept
from retake.store.work import work_of
from retake.store.workspaces import ensure_workspace
from retake_worker.engine import Engine
from retake_worker.inspect import probed
from retake_worker.lease import Frames
from retake_worker.render_part import render_part
from retake_worker.scratch import Scratch
from retake_worker.tools import Tools
from store.scene import TIMING, Accepted, Scene
from worker.cooking import recipe as plain

pytestmark = pytest.mark.anyio

SHA256 = "cd" * 32


class Killed(Exception):
    """As if the worker had ended here."""


@pytest.fixture
async def blobs(bucket: Bucket) -> AsyncIterator[Blobs]:
    async with open_blobs(bucket) as opened:
        yield opened


@pytest.fixture
def reached() -> list[str]:
    """The steps a worker came by."""
    return []


@pytest.fixture
async def tools(
    *, database: Database, blobs: Blobs, nats: Nats, ffmpeg: Path, tmp_path: Path, reached: list[str]
) -> AsyncIterator[Tools]:
    async with open_bus(nats, TIMING, name="worker") as bus:
        scratch, engine = Scratch(tmp_path, "worker"), Engine(fingerprint="ffmpeg 9 libx264")
        yield Tools(database, blobs, bus, TIMING, scratch, "worker", 1, ffmpeg, engine=engine, reach=reached.append)
        scratch.close()


@pytest.fixture
async def scene(database: Database) -> Scene:
    return Scene(database, await ensure_workspace(database, "people"))


async def planned(
    scene: Scene,
    tools: Tools,
    clip: Path,
    recipes: Sequence[Any],
    change: Callable[[dict[str, Any]], Any] = dict,
    *,
    stored: bytes | None = None,
) -> Accepted:
    """A job with one video whose takes are these recipes, all in one part; `change` is made to its probe, which is that
    of the clip, also when other bytes are stored."""
    source = await sources.begin_source(scene.database, scene.workspace)
    data = clip.read_bytes() if stored is None else stored
    key = SourceChunk(str(source), 0, uuid4().hex).key
    digest = hashlib.sha256(data).hexdigest()
    await sources.intend_chunk(scene.database, source, n=0, start=0, size=len(data), sha256=digest, key=key)
    await tools.blobs.put(key, data)
    await sources.chunk_done(scene.database, source, key)
    await sources.finish_source(scene.database, source)
    new = NewJob(scene.workspace, [("clip.mp4", source)], len(recipes), seed=1)
    job = Accepted(new.id, await accept(scene.database, new))
    inspecting = await scene.claim_next(job)
    async with tools.scratch.folder(inspecting) as folder:
        shutil.copyfile(clip, folder / "source")
        probe = change((await probed(tools.ffmpeg, tools.limits, folder)).to_plain())
    each = [Planned(recipe["index"], recipe, 10_000, 1) for recipe in recipes]
    await parts.finish_inspect(scene.database, inspecting, Plan(probe, digest, each), RECIPE_VERSION, TIMING)
    return job


async def work_on(tools: Tools, claimed: Claim, frames: Frames | None = None) -> Frames:
    frames = Frames() if frames is None else frames
    async with tools.scratch.folder(claimed) as folder:
        await render_part(tools, claimed, await work_of(tools.database, claimed), folder, frames)
    await parts.finish_part(tools.database, claimed, tools.timing)
    return frames


async def test_each_take_is_stored_and_committed_with_its_facts(
    *, scene: Scene, tools: Tools, clips: Clips, player: Player, tmp_path: Path, reached: list[str]
) -> None:
    job = await planned(scene, tools, clips("motion"), Candidates(3, SHA256, 3).first())
    claimed = await scene.claim_next(job)

    frames = await work_on(tools, claimed)

    assert await scene.states(job) == ("completed", ["completed"], ["done", "done"], ["completed"] * 3)
    assert frames == {1: 60, 2: 60, 3: 60}
    assert reached == ["downloaded", *["rendered", "stored", "committed"] * 3]
    for row in await scene.variations(job.video):
        assert row["key"] == Result(str(job.id), str(job.video), row["index"], claimed.number).key
        data = await tools.blobs.get(row["key"])
        assert (len(data), zlib.crc32(data)) == (row["size"], row["crc32"])
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        (tmp_path / "take.mp4").write_bytes(data)
        assert abs(player.picture(tmp_path / "take.mp4").end - row["duration"]) < 1 / 30
        assert not row["distance"]["source"]["near"]
        assert row["engine"] == "ffmpeg 9 libx264"
        assert row["distance"]["nearest"]["index"] != row["index"]
        assert row["thumb_key"] == ResultThumb(str(job.id), str(job.video), row["index"], claimed.number).key
        assert (await tools.blobs.get(row["thumb_key"]))[8:12] == b"WEBP"
    assert (await scene.one("video", job.video))["distinctness"] == {"pairs": [], "takes": 3, "measured": True}


async def test_takes_of_other_parts_are_compared_too(scene: Scene, tools: Tools, clips: Clips) -> None:
    """Takes 2 and 6 are one recipe, and never in one run."""
    recipes = Candidates(3, SHA256, 6).first()
    recipes[5]["effects"] = recipes[1]["effects"]
    job = await planned(scene, tools, clips("vertical"), recipes)

    for _ in range(2):
        await work_on(tools, await scene.claim_next(job))

    rows = await scene.variations(job.video)
    assert [(row["index"], row["distance"]["nearest"]["index"]) for row in (rows[1], rows[5])] == [(2, 6), (6, 2)]
    assert rows[1]["distance"]["nearest"]["near"]
    told = (await scene.one("video", job.video))["distinctness"]
    assert told == {"pairs": [[2, 6]], "takes": 6, "measured": True}


async def test_a_recipe_gives_the_same_bytes_on_another_worker_after_a_kill(
    scene: Scene, tools: Tools, clips: Clips
) -> None:
    recipes = Candidates(3, SHA256, 3).first()
    whole = await planned(scene, tools, clips("vertical"), recipes)
    await work_on(tools, await scene.claim_next(whole))
    broken = await planned(scene, tools, clips("vertical"), recipes)
    killed = await scene.claim_next(broken)

    def dying(step: str) -> None:
        if step == "committed":
            raise Killed

    with pytest.raises(Killed):
        await work_on(replace(tools, reach=dying), killed)
    await scene.lose(killed)
    await scene.due(broken)
    await work_on(replace(tools, name="another"), await scene.claim_next(broken))

    first, second = await scene.variations(whole.video), await scene.variations(broken.video)
    assert len({row["claim"] for row in second}) == 2
    assert [row["sha256"] for row in first] == [row["sha256"] for row in second]


async def test_one_bad_take_fails_alone(scene: Scene, tools: Tools, clips: Clips) -> None:
    recipes = Candidates(3, SHA256, 3).first()
    recipes[1]["effects"] = [{"name": "zoom", "params": {"factor": 0.5, "x": 0.0, "y": 0.0}}]
    job = await planned(scene, tools, clips("vertical"), recipes)

    await work_on(tools, await scene.claim_next(job))

    assert await scene.states(job) == (
        "completed",
        ["completed"],
        ["done", "done"],
        ["completed", "failed", "completed"],
    )
    failed = (await scene.variations(job.video))[1]
    assert failed["error_code"] == "encoder"
    assert failed["error"].endswith(".")
    assert (await scene.one("video", job.video))["progress"] == 1


async def test_a_take_that_is_not_what_was_due_is_not_published(scene: Scene, tools: Tools, clips: Clips) -> None:
    def smaller(probe: dict[str, Any]) -> dict[str, Any]:
        return {**probe, "width": probe["width"] - 2}

    job = await planned(scene, tools, clips("motion"), [plain(1), plain(2)], smaller)

    await work_on(tools, await scene.claim_next(job))

    assert await scene.states(job) == ("failed", ["failed"], ["done", "done"], ["failed", "failed"])
    assert {row["error_code"] for row in await scene.variations(job.video)} == {"encoder"}
    assert [blob.key async for blob in tools.blobs.listing("results/")] == []


async def test_a_source_that_turns_out_to_be_damaged_is_blamed_for_its_takes(
    scene: Scene, tools: Tools, clips: Clips
) -> None:
    """Its second half never came; inspect is made to believe that it was whole."""
    half = hollow(clips("motion").read_bytes())
    job = await planned(scene, tools, clips("motion"), Candidates(3, SHA256, 2).first(), stored=half)

    with pytest.raises(BadInput) as damaged:
        await work_on(tools, await scene.claim_next(job))

    assert damaged.value.failure is CORRUPT
    assert [blob.key async for blob in tools.blobs.listing("results/")] == []


async def test_after_a_loss_takes_go_one_by_one_and_each_is_named_first(
    scene: Scene, tools: Tools, clips: Clips
) -> None:
    job = await planned(scene, tools, clips("vertical"), Candidates(3, SHA256, 2).first())
    await scene.lose(await scene.claim_next(job))
    await scene.due(job)
    claimed = await scene.claim_next(job)
    runs: list[set[int]] = []

    class Watched(dict[int, int]):
        """Told while takes are in work."""

        def update(self, *told: Any) -> None:
            runs.append(set(told[0]))
            super().update(*told)

    await work_on(tools, claimed, Watched())

    assert claimed.failures == 1
    assert runs
    assert all(len(takes) == 1 for takes in runs)
    assert await scene.states(job) == ("completed", ["completed"], ["done", "done"], ["completed", "completed"])


async def test_a_take_is_named_while_it_is_tried_again(scene: Scene, tools: Tools, clips: Clips) -> None:
    job = await planned(scene, tools, clips("vertical"), Candidates(3, SHA256, 2).first())
    await scene.lose(await scene.claim_next(job))
    await scene.due(job)
    claimed = await scene.claim_next(job)

    def dying(step: str) -> None:
        if step == "rendered":
            raise Killed

    with pytest.raises(Killed):
        await work_on(replace(tools, reach=dying), claimed)

    assert (await scene.part(job, kind="render"))["trying_index"] == 1


async def test_what_another_claim_finished_is_not_rendered_again(
    scene: Scene, tools: Tools, clips: Clips, reached: list[str]
) -> None:
    job = await planned(scene, tools, clips("vertical"), Candidates(3, SHA256, 3).first())
    first = await scene.claim_next(job)

    def dying(step: str) -> None:
        if step == "committed":
            raise Killed

    with pytest.raises(Killed):
        await work_on(replace(tools, reach=dying), first)
    await parts.release(scene.database, first, TIMING, blocked=False)
    second = await scene.claim_next(job)

    await work_on(tools, second)

    claims = [row["claim"] for row in await scene.variations(job.video)]
    assert claims == [first.number, second.number, second.number]
    assert reached.count("committed") == 2


async def test_scratch_is_empty_afterwards(scene: Scene, tools: Tools, clips: Clips, tmp_path: Path) -> None:
    job = await planned(scene, tools, clips("vertical"), Candidates(3, SHA256, 1).first())

    await work_on(tools, await scene.claim_next(job))

    assert list((tmp_path / "worker").glob("[0-9]*")) == []
