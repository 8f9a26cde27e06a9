import shutil
from pathlib import Path

import pytest

from clips import Clips
from playback import Player
from retake.domain.limits import Limits
from retake_worker.ffmpeg_process import find_ffmpeg
from retake_worker.render import Kitchen
from retake_worker.rewrap import rewrap
from retake_worker.sandbox import Program
from worker.cooking import Cook, kitchen_in


@pytest.fixture(scope="session")
def ffmpeg() -> Program:
    """The ffmpeg that the worker uses when nobody names another."""
    return find_ffmpeg(None)


@pytest.fixture
def player(ffmpeg: Program) -> Player:
    return Player(ffmpeg)


@pytest.fixture
def cook(clips: Clips, ffmpeg: Program, tmp_path: Path) -> Cook:
    """A place to make takes of a clip."""

    async def ready(name: str) -> Kitchen:
        folder = tmp_path / name
        folder.mkdir()
        shutil.copyfile(clips(name), folder / "source")
        await rewrap(ffmpeg, Limits(), folder / "source")
        return await kitchen_in(folder, ffmpeg)

    return ready
