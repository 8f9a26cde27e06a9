"""A render part: its takes are made in one run, and each is stored and committed on its own.

When the run fails, or one of its files is no good, what is missing is tried once more, take by take, so that one bad
take fails alone. After a loss (rule 8) the part goes take by take from the start, and names each before it tries it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from retake import tracing
from retake.domain import distinct
from retake.domain.errors import ENCODER
from retake.domain.work import Claim, Take, Work
from retake.store import parts
from retake_worker.allowance import takes_at_once
from retake_worker.clip import clip_of
from retake_worker.ffmpeg_command import SOURCE, Recipe
from retake_worker.ffmpeg_process import FFmpegError
from retake_worker.lease import Frames
from retake_worker.probe import Probe
from retake_worker.render import BadTake, Kitchen, check, examine, failure_of, measure, render, store
from retake_worker.tools import Tools

log = structlog.stdlib.get_logger(__name__)


async def render_part(tools: Tools, claimed: Claim, work: Work, folder: Path, frames: Frames) -> None:
    """Returns when each take is completed or failed; the part itself is still to be finished. Raises BadInput when the
    source turns out to be damaged where inspect did not look."""
    assert work.probe is not None, "a part to render was planned from a probe"
    await tools.bring(work, folder / SOURCE)
    tools.reach("downloaded")
    kitchen = Kitchen(tools.ffmpeg, clip_of(Probe.from_plain(work.probe)), folder, tools.limits, engine=tools.engine)
    rendering = Rendering(tools, claimed, kitchen, frames, work)
    most = takes_at_once(kitchen.clip.size.width * kitchen.clip.size.height, tools.memory, tools.slots)
    frames.due = len(work.takes) * rendering.due
    runs = [work.takes[first : first + most] for first in range(0, len(work.takes), most)]
    for takes in runs:
        for take in takes if claimed.failures else await rendering.together(takes):
            await rendering.alone(take)


class Rendering:
    """The takes of one part, under one claim."""

    def __init__(self, tools: Tools, claimed: Claim, kitchen: Kitchen, frames: Frames, work: Work) -> None:
        self._tools, self._claimed, self._kitchen = tools, claimed, kitchen
        self._frames, self._recipes = frames, work.recipes
        self.due: int = (work.probe or {})["frames"]  # what the progress of a take counts to
        self._rendered: dict[int, Mapping[str, Any]] = {}  # takes whose small frames are there to be compared with
        self._cleared = False  # the source, of being damaged

    async def together(self, takes: Sequence[Take]) -> Sequence[Take]:
        """Returns those that did not come out. Compared are all takes of the video, wherever they are made."""
        own = {take.index for take in takes}
        try:
            distances = await self._render(takes, sisters=[one for one in self._recipes if one["index"] not in own])
        except FFmpegError as error:
            log.warning("the takes are tried one by one", because=repr(error), tail=error.tail)
            return takes
        left = []
        verdicts = await check(self._kitchen, [take.recipe for take in takes])
        for take, verdict in zip(takes, verdicts, strict=True):
            if isinstance(verdict, float):
                await self._deliver(take, verdict, distances.get(take.index))
            else:
                log.warning("the take is tried again", take=take.index, because=repr(verdict))
                left.append(take)
        return left

    async def alone(self, take: Take) -> None:
        await parts.name_take(self._tools.database, self._claimed, take.index)
        try:
            distances = await self._render([take], sisters=())
        except FFmpegError as error:
            await self._fail(take, error)
            return
        (verdict,) = await check(self._kitchen, [take.recipe])
        if isinstance(verdict, float):
            await self._deliver(take, verdict, distances.get(take.index))
        else:
            await self._fail(take, verdict)

    async def _fail(self, take: Take, error: BadTake | FFmpegError) -> None:
        """The encoder is blamed when the source, as a whole, is sound; else raises BadInput."""
        tools, failure = self._tools, failure_of(error)
        tail = error.tail if isinstance(error, FFmpegError) else ""
        log.error("a take did not come out", take=take.index, because=repr(error), tail=tail)
        if failure is ENCODER and not self._cleared:
            await examine(self._kitchen)
            self._cleared = True
        await parts.fail_variation(tools.database, self._claimed, take.index, failure, tools.timing)

    async def _render(self, takes: Sequence[Take], sisters: Sequence[Recipe]) -> Mapping[int, Mapping[str, Any]]:
        """Makes them in one run, and measures how they differ, also from those that were made before."""
        indices = [take.index for take in takes]

        def moved(done: int) -> None:
            self._frames.update(dict.fromkeys(indices, min(self.due, done * self.due // self._kitchen.clip.frames)))

        with tracing.span("encode", takes=indices):
            await render(self._kitchen, [take.recipe for take in takes], moved, sisters)
        self._rendered |= {take.index: take.recipe for take in takes}
        made = [take.recipe for take in takes] if sisters else list(self._rendered.values())
        measured = await asyncio.to_thread(measure, self._kitchen, made, sisters)
        if measured.near is not None and len(made) + len(sisters) == len(self._recipes):
            told = distinct.told(measured.near, len(self._recipes), measured=True)
            await parts.tell_distinct(self._tools.database, self._claimed, told)
        return measured.distances

    async def _deliver(self, take: Take, seconds: float, distance: Mapping[str, Any] | None) -> None:
        tools = self._tools
        tools.reach("rendered")
        with tracing.span("store", take=take.index):
            rendered = await store(
                tools.blobs, self._claimed, self._kitchen, take.index, seconds=seconds, distance=distance
            )
        tools.reach("stored")
        with tracing.span("commit", take=take.index):
            await parts.finish_variation(tools.database, self._claimed, rendered, tools.timing)
        self._frames[take.index] = self.due
        tools.reach("committed")
