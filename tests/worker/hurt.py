"""What becomes of a mutated video: how it is refused, or takes that are held against a player."""

import asyncio
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clips import Clips
from mutations import mutated
from playback import Player
from retake.domain.errors import TIMEOUT, BadInput
from retake.domain.limits import Limits
from retake.domain.recipe import speed_of
from retake_worker.clip import clip_of
from retake_worker.diagnosis import diagnosis
from retake_worker.ffmpeg_command import SOURCE, file_of
from retake_worker.ffmpeg_process import FFmpegError
from retake_worker.inspect import probed
from retake_worker.render import Kitchen, check, render
from retake_worker.sandbox import Program
from worker.cooking import recipe

SECONDS = 60
"""Longer than this nothing may take, with other things going on."""

RECIPE = recipe(1, mirror={}, speed={"factor": 1.06})


@dataclass(frozen=True)
class Fate:
    """`wrong` is empty when all is as it should be."""

    seed: int
    did: str
    outcome: str
    seconds: float
    wrong: str = ""

    def __str__(self) -> str:
        replay = f"HURT_SEED={self.seed} HURT_COUNT=1 pytest -m faults -s tests/faults/test_hurt.py"
        return f"seed {self.seed} ({self.did}) {self.outcome} in {self.seconds:.1f} s: {self.wrong}\n  {replay}"


async def fates(seeds: Iterable[int], clips: Clips, ffmpeg: Program, folder: Path) -> list[Fate]:
    """One on each core."""
    slots = asyncio.Semaphore(os.cpu_count() or 1)

    async def one(seed: int) -> Fate:
        async with slots:
            return await fate(seed, clips, ffmpeg, folder / str(seed))

    return list(await asyncio.gather(*map(one, seeds)))


async def fate(seed: int, clips: Clips, ffmpeg: Program, folder: Path) -> Fate:
    did, data = mutated(seed, lambda name: clips(name).read_bytes())
    folder.mkdir()
    (folder / SOURCE).write_bytes(data)
    started, wrong = time.monotonic(), ""
    try:
        async with asyncio.timeout(SECONDS):
            outcome, wrong = await _outcome(ffmpeg, folder)
    except TimeoutError:
        outcome, wrong = "hang", "it never ended"
    except Exception as error:  # noqa: BLE001  whatever it is, this is what the campaign looks for
        outcome, wrong = "error of ours", repr(error)
    shutil.rmtree(folder)
    return Fate(seed, did, outcome, time.monotonic() - started, wrong)


async def _outcome(ffmpeg: Program, folder: Path) -> tuple[str, str]:
    try:
        kitchen = Kitchen(ffmpeg, clip_of(await probed(ffmpeg, Limits(), folder)), folder, Limits())
    except BadInput as error:
        return f"refused: {error.failure.code}", ""
    except FFmpegError as error:
        return f"refused: {diagnosis(error).code}", _hung(error)
    try:
        await render(kitchen, [RECIPE], lambda _frames: None)
    except FFmpegError as error:
        return f"failed: {diagnosis(error).code}", _hung(error)
    (verdict,) = await check(kitchen, [RECIPE])
    if not isinstance(verdict, float):
        return "failed: the take was found out", ""
    return "completed", await asyncio.to_thread(_complaint, Player(ffmpeg), kitchen)


def _hung(error: FFmpegError) -> str:
    return repr(error) if diagnosis(error) is TIMEOUT else ""


def _complaint(player: Player, kitchen: Kitchen) -> str:
    """A take that was called good, as a player sees it."""
    clip, take = kitchen.clip, player.picture(kitchen.folder / file_of(1))
    slack = 2 + clip.doubtful
    if abs(take.pieces - clip.frames) > slack:
        return f"a take of {take.pieces} frames, and {clip.frames} are due"
    due, lasts = clip.seconds / speed_of(RECIPE), take.end - take.starts[0]
    if abs(lasts - due) > (slack + 1) * clip.seconds / clip.frames:
        return f"a take of {lasts:.3f} s, and {due:.3f} are due"
    return ""


def table(all_of_them: list[Fate]) -> str:
    counts = Counter(one.outcome for one in all_of_them)
    longest = max(all_of_them, key=lambda one: one.seconds)
    lines = [f"{count:6} {outcome}" for outcome, count in counts.most_common()]
    return "\n".join([*lines, f"longest: {longest.seconds:.1f} s, seed {longest.seed} ({longest.did})"])
