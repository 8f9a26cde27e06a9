"""An inspect part: what was uploaded is looked at from all sides, and its takes are planned.

1. The source is fetched and hashed, and wrapped as MP4 if it is none (rewrap.py). 2. Its first bytes say what it is.
3. Its boxes say what is in it. 4. FFmpeg decodes some of it. 5. The frame with most to see becomes the thumbnail.
6. Each take gets its recipe, chosen by what it will look like (planning.py), and the bytes and CPU seconds it may need.
A file that no takes can come from is BadInput; its failure says why.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retake.blobs.bucket import Blobs
from retake.blobs.keys import VideoThumb
from retake.domain.candidates import Candidates
from retake.domain.errors import BadInput
from retake.domain.limits import Limits
from retake.domain.options import read_render_options
from retake.domain.recipe import Recipe, lasting
from retake.domain.sniff import DEMUXERS, ENOUGH, Kind, refusal, sniff
from retake.domain.work import Claim, Plan, Planned, Work
from retake_worker.chosen import Chosen, choose
from retake_worker.clip import clip_of
from retake_worker.diagnosis import diagnosis
from retake_worker.estimate import cpu_seconds, most_bytes
from retake_worker.ffmpeg_command import SOURCE
from retake_worker.ffmpeg_process import FFmpegError, Patience, run
from retake_worker.movie import read_movie
from retake_worker.probe import Probe, Told, judged
from retake_worker.probe_command import pictures, probe_arguments
from retake_worker.sandbox import Program
from retake_worker.tools import Tools
from retake_worker.windows import Window, windows

PATIENCE = Patience(stall=30, total=120)
_CAPTURE = 1_000_000


@dataclass(frozen=True)
class Look:
    """What the bytes of a file say, before anything is decoded."""

    kind: Kind
    chosen: Chosen
    stretches: Sequence[Window]


async def inspect(tools: Tools, claimed: Claim, work: Work, folder: Path) -> Plan:
    sha256 = await tools.bring(work, folder / SOURCE)
    probe = await probed(tools.ffmpeg, tools.limits, folder)
    thumb = await _thumbnail(tools.blobs, claimed, folder)
    candidates = Candidates(work.seed, sha256, work.variations, read_render_options(work.options))
    recipes, distinct = await asyncio.to_thread(chosen_of, candidates, probe, folder)
    return Plan(probe.to_plain(), sha256, planned(probe, work, recipes), thumb, distinct)


async def probed(ffmpeg: Program, limits: Limits, folder: Path) -> Probe:
    """Of the source in this folder. Raises BadInput, or FFmpegError when the file is perhaps not to blame."""
    look = await asyncio.to_thread(look_at, folder / SOURCE, limits)
    told = Told()
    arguments = probe_arguments(look.chosen, look.stretches, DEMUXERS[look.kind], limits)
    try:
        decoded = await run(ffmpeg, arguments, folder, PATIENCE, said=told.hear, capture=_CAPTURE)
    except FFmpegError as error:
        if (failure := diagnosis(error)).final:
            raise BadInput(failure, f"{error}: {error.tail}") from error
        raise
    return judged(look.chosen, look.stretches, decoded, told, container=look.kind, limits=limits)


def look_at(source: Path, limits: Limits) -> Look:
    with source.open("rb") as file:
        kind = sniff(file.read(ENOUGH))
        if (failure := refusal(kind, DEMUXERS)) is not None:
            raise BadInput(failure, f"begins like {kind}")
        movie = read_movie(file, source.stat().st_size)
    chosen = choose(movie, limits)
    return Look(kind, chosen, windows(chosen.picture))


def chosen_of(candidates: Candidates, probe: Probe, folder: Path) -> tuple[Sequence[Recipe], Mapping[str, Any]]:
    """By the samples that were left in the folder. Blocks for a quarter of a second: call it in a thread."""
    from retake_worker.pictures import read_samples  # noqa: PLC0415
    from retake_worker.planning import choose  # noqa: PLC0415  numpy, only where it is needed

    clip = clip_of(probe)
    return choose(candidates, read_samples(folder), clip.size, clip.look_size)


def planned(probe: Probe, work: Work, recipes: Sequence[Recipe]) -> list[Planned]:
    return [
        Planned(
            index=recipe["index"],
            recipe=recipe,
            reserve=most_bytes(probe, work.size, lasting(recipe, probe.duration), recipe["output"]["profile"]),
            cost=cpu_seconds(probe, recipe),
        )
        for recipe in recipes
    ]


async def _thumbnail(blobs: Blobs, claimed: Claim, folder: Path) -> str | None:
    """Of the small pictures the one with most bytes: black, blank and blurred ones compress to next to nothing."""
    made = await asyncio.to_thread(pictures, folder)
    if not made:
        return None
    key = VideoThumb(str(claimed.job), str(claimed.video), claimed.number).key
    await blobs.put(key, max(made, key=len))
    return key
