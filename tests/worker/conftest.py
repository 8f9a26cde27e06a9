from pathlib import Path

import pytest

from playback import Player
from retake_worker.ffmpeg_process import find_ffmpeg


@pytest.fixture(scope="session")
def ffmpeg() -> Path:
    """The ffmpeg that the worker uses when nobody names another."""
    return find_ffmpeg(None)


@pytest.fixture
def player(ffmpeg: Path) -> Player:
    return Player(ffmpeg)
