"""`make faults`: HURT_COUNT (2000) videos from HURT_SEED (1) on, each mutated in its own way, and takes of them.

The seed of one that goes wrong is told with the command that replays it.
"""

import os
from pathlib import Path

import pytest

from clips import Clips
from faults.campaign import say
from retake_worker.ffmpeg_process import find_ffmpeg
from worker.hurt import fates, table

pytestmark = [pytest.mark.anyio, pytest.mark.faults]


async def test_no_mutated_video_kills_hangs_or_passes_for_what_it_is_not(clips: Clips, tmp_path: Path) -> None:
    first, count = (int(os.environ.get(name, default)) for name, default in (("HURT_SEED", 1), ("HURT_COUNT", 2000)))

    found = await fates(range(first, first + count), clips, find_ffmpeg(None), tmp_path)

    say(f"\n{table(found)}")
    assert [str(one) for one in found if one.wrong] == []
    assert len(found) == count
