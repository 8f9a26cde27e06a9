"""In a process of its own: which layers hold, what a script gets to do, and whether the real ffmpeg works, as JSON."""

import asyncio
import json
import sys
from pathlib import Path

from retake_worker.ffmpeg_process import Patience, find_ffmpeg, run
from retake_worker.sandbox import layers_that_hold
from worker.hostile import reading_python


def main(fake: str, folder: str, *arguments: str) -> None:
    sys.stdout.write(json.dumps(asyncio.run(_look(Path(fake), Path(folder), arguments))))


async def _look(fake: Path, folder: Path, arguments: tuple[str, ...]) -> dict[str, object]:
    program, ffmpeg = reading_python(fake), find_ffmpeg(None)
    pattern = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.2", "-threads", "1", "made.mp4"]
    await run(ffmpeg, pattern, folder, Patience())
    return {
        "held": layers_that_hold(program, folder),
        "did": (await run(program, arguments, folder, Patience(), capture=10_000)).decode().splitlines(),
        "made": (folder / "made.mp4").stat().st_size,
    }
