"""A few mutated videos; `make faults` has thousands (tests/faults/test_hurt.py)."""

from pathlib import Path

import pytest

from clips import Clips
from retake_worker.sandbox import Program
from worker.hurt import fates

pytestmark = pytest.mark.anyio


async def test_mutated_videos_are_refused_or_become_takes_that_are_right(
    clips: Clips, ffmpeg: Program, tmp_path: Path
) -> None:
    found = await fates(range(1, 16), clips, ffmpeg, tmp_path)

    assert [str(one) for one in found if one.wrong] == []
    assert any(one.outcome == "completed" for one in found)
    assert any(one.outcome.startswith("refused") for one in found)
