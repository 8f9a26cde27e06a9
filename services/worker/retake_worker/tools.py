"""What a worker works with: opened once by __main__, handed to everything that does work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from retake import tracing
from retake.blobs.bucket import Blobs
from retake.bus.connection import Bus
from retake.domain.limits import Limits
from retake.domain.timing import Timing
from retake.domain.work import Work
from retake.store.connect import Database
from retake_worker.engine import Engine
from retake_worker.rewrap import rewrap
from retake_worker.sandbox import Program
from retake_worker.scratch import Scratch

Reach = Callable[[str], None]
"""Told the name of each step as it is reached; fault tests stop a worker there."""


@dataclass(frozen=True)
class Tools:
    database: Database
    blobs: Blobs
    bus: Bus
    timing: Timing
    scratch: Scratch
    name: str
    slots: int
    ffmpeg: Program
    limits: Limits = field(default_factory=Limits)
    memory: int = 8 * 2**30  # bytes that this worker may use
    engine: Engine = field(default_factory=Engine)
    layers: Sequence[str] = ()  # of the sandbox, that hold here
    grace: float = 0  # seconds in which it may finish when it is told to leave
    reach: Reach = lambda _step: None

    async def bring(self, work: Work, place: Path) -> str:
        """Puts the source of a part there, as MP4 or MOV; returns the SHA-256 of what was uploaded."""
        ready = partial(rewrap, self.ffmpeg, self.limits)
        with tracing.span("fetch", source=work.source, bytes=work.size):
            return await self.scratch.sources.bring(self.blobs, work, place, ready)
