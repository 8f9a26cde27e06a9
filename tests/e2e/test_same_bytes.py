"""The same recipe gives the same bytes: in another installation, by another worker, after a kill, and given by hand."""

import io
import json
import os
import signal
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from clips import Clips
from conftest import eventually
from e2e.test_slice import ended, ffmpegs, logged_in
from running import Run, running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

TAKES = 3


async def made(
    client: httpx.AsyncClient, clip: Path, options: dict[str, Any], *, killed: Run | None = None
) -> dict[str, bytes]:
    """The files of the job's ZIP, by name; its worker is killed while it renders, if it is named."""
    answer = await client.post(
        "/api/jobs",
        files=[("videos", (clip.name, clip.read_bytes()))],
        data={"options": json.dumps(options)} | ({} if "recipes" in options else {"variations": str(TAKES)}),
    )
    job = answer.raise_for_status().json()["jobId"]
    if killed is not None:

        async def renders() -> bool:
            """Its second run of ffmpeg: the first one inspected."""
            shown = (await client.get(f"/api/jobs/{job}")).json()
            return bool(shown["files"][0]["variations"] and ffmpegs(killed))

        await eventually(renders, within=60)
        os.kill(killed.pid("worker-1"), signal.SIGKILL)
    assert (await ended(client, job))["completedVariations"] == TAKES
    answer = (await client.get(f"/api/jobs/{job}/download")).raise_for_status()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as takes:
        return {name: takes.read(name) for name in takes.namelist()}


def takes_of(files: dict[str, bytes]) -> list[bytes]:
    return [files[name] for name in sorted(files) if name.endswith(".mp4")]


async def test_a_recipe_gives_the_same_bytes_elsewhere_after_a_kill_and_given_by_hand(
    tmp_path: Path, clips: Clips
) -> None:
    clip = clips("motion")
    async with running(tmp_path / "one", RETAKE_TIME_SCALE="0.1") as run, logged_in(run) as client:
        first = await made(client, clip, {"seed": 7})
    recipes = [take["recipe"] for take in json.loads(first["manifest.json"])["variations"]]

    async with running(tmp_path / "other", RETAKE_TIME_SCALE="0.1") as run, logged_in(run) as client:
        again = await made(client, clip, {"seed": 7}, killed=run)
        by_hand = await made(client, clip, {"recipes": recipes})

    assert len(set(takes_of(first))) == TAKES
    assert takes_of(again) == takes_of(first)
    assert takes_of(by_hand) == takes_of(first)
