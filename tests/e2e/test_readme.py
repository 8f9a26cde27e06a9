"""The README's walk is what a newcomer types: each of its lines runs here, in one shell, against a real `make run`.

What it ends with is looked at as closely as a person could who has the recipes: which takes there are, how long each
is, and whether any two of them, or one and its source, look alike.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import zipfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from clips import Clips
from retake_worker.distance import Frames, compare
from retake_worker.ffmpeg_process import find_ffmpeg
from running import running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

README = Path(__file__).parents[2] / "README.md"


def walk() -> str:
    """The shell blocks that stand under a walk mark, in order."""
    blocks = re.findall(r"<!-- walk[^>]*-->\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert blocks, "the README has no walk"
    return "\n".join(blocks)


async def shell(script: str, folder: Path, **settings: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, **settings},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


class Seen:
    """A video as FFmpeg, asked by nobody but this test, sees it."""

    def __init__(self, ffmpeg: str, file: Path) -> None:
        told = subprocess.run([ffmpeg, "-i", file], capture_output=True, text=True, check=False).stderr
        hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", told).groups()  # type: ignore[union-attr]
        self.seconds = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        self.sound = "Audio:" in told
        width, height = map(int, re.search(r"Video: .* (\d+)x(\d+)", told).groups())  # type: ignore[union-attr]
        self.size = (width, height)
        small = (160, 90) if width >= height else (90, 160)
        raw = subprocess.run(
            [ffmpeg, "-v", "error", "-i", file, "-vf", f"scale={small[0]}:{small[1]}:flags=area,format=yuv444p",
             "-fps_mode", "passthrough", "-f", "rawvideo", "-"], capture_output=True, check=True,
        ).stdout  # fmt: skip
        planes = np.frombuffer(raw, np.uint8).reshape(-1, 3, small[1], small[0])
        self.frames = len(planes)
        self.look = Frames(planes[[int((i + 0.5) / 6 * len(planes)) for i in range(6)]].astype(np.float32))


async def test_every_line_of_the_walk_works_and_the_takes_are_what_their_recipes_say(
    tmp_path: Path, clips: Clips
) -> None:
    ffmpeg = find_ffmpeg(None)
    names = {"holiday": clips("motion"), "fête 視頻": clips("vertical")}
    for name, clip in names.items():
        shutil.copy(clip, tmp_path / f"{name}.mp4")

    async with running(tmp_path / "data", RETAKE_WORKERS="2") as run:
        url, password = await run.until_up(), run.password()
        code, said = await shell(walk(), tmp_path, RETAKE_URL=url, RETAKE_PASSWORD=password)

    assert code == 0, said
    assert "No errors detected" in said
    with zipfile.ZipFile(tmp_path / "takes.zip") as takes:
        takes.extractall(tmp_path / "takes")
    manifest = json.loads((tmp_path / "takes" / "manifest.json").read_text())
    for name in names:
        source = Seen(ffmpeg, tmp_path / f"{name}.mp4")
        files = sorted((tmp_path / "takes" / name).iterdir())
        assert [file.name for file in files] == [f"{name}_var{k}.mp4" for k in (1, 2, 3)]
        seen = [Seen(ffmpeg, file) for file in files]
        for file, take in zip(files, seen, strict=True):
            entry = next(one for one in manifest["variations"] if one["path"] == f"{name}/{file.name}")
            speed = next((e["params"]["factor"] for e in entry["recipe"]["effects"] if e["name"] == "speed"), 1)
            assert take.frames == source.frames
            assert abs(take.seconds - source.seconds / speed) <= 2 * source.seconds / source.frames
            assert (take.sound, take.size) == (source.sound, source.size)
        for one, other in combinations([source, *seen], 2):
            assert not compare(one.look, other.look).near
