"""One run of ffmpeg, from start to certain end.

It sees an empty environment, no input, and its own scratch folder as the working one; it is a process group of its own,
dies with the worker, and reaches nothing else (sandbox.py). It ends in one of these ways:

    it returns            exit code 0; what it made still has to be checked
    FFmpegError
      FFmpegFailed        another exit code; carries the end of what it said, for logs
      Stalled             no frame and no byte for `stall` seconds: ffmpeg can wait for itself for ever
      TooLong             the whole run took more than `total` seconds
      TooMuch             it wrote more than was asked for, to standard output or to its folder
    NotStarted            the launcher could not make it; an OSError
    CancelledError        whoever waited for it was cancelled

and in every one of them the whole group is gone before `run` is left: SIGTERM, two seconds, SIGKILL.
"""

import asyncio
import math
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from retake import metrics, tracing
from retake_worker.ffmpeg_output import KEPT, Output, Pipe, Progress, Tail, listen
from retake_worker.sandbox import Bounds, NotStarted, Program, launching, not_started, program_at

_GRACE = 2.0
_LOOKS = 15  # at a run, in the time after which it counts as stalled
_DRAIN = 1.0
_PERIOD = 0.5  # between two reports of progress


class NoFFmpeg(Exception):
    """There is no ffmpeg where it should be."""


class FFmpegError(Exception):
    """A run did not end well. `tail` is the end of what ffmpeg said."""

    def __init__(self, says: str, tail: str) -> None:
        super().__init__(says)
        self.tail = tail

    @property
    def kind(self) -> str:
        """A word for its metric."""
        return "failed"


class FFmpegFailed(FFmpegError):
    def __init__(self, code: int, tail: str) -> None:
        super().__init__(f"ffmpeg ended with {code}", tail)
        self.code = code

    @property
    def kind(self) -> str:
        return _KINDS.get(-self.code, "failed" if self.code > 0 else "crashed")


class Stalled(FFmpegError):
    """Nothing moved for too long."""

    kind = "stalled"


class TooLong(FFmpegError):
    """The whole run took too long."""

    kind = "too_long"


class TooMuch(FFmpegError):
    """More came out than was asked for."""

    kind = "too_much"


_KINDS: Mapping[int, str] = {signal.SIGKILL: "killed", signal.SIGXCPU: "too_long", signal.SIGXFSZ: "too_much"}
"""By the signal that ended it. Nobody but the kernel, short of memory, kills it from outside."""


@dataclass(frozen=True)
class Patience:
    """How long a run may take, in seconds: without any progress, and as a whole; and how many bytes it may write."""

    stall: float = 30
    total: float = 3600
    space: int = 256 * 2**20


def find_ffmpeg(setting: str | None) -> Program:
    """RETAKE_FFMPEG, or the program in the imageio-ffmpeg wheel, found without importing that."""
    if setting is not None:
        if (found := shutil.which(setting)) is None:
            raise NoFFmpeg(f"RETAKE_FFMPEG names {setting!r}, which is no program.")
        return program_at(Path(found).absolute())
    for file in metadata.files("imageio-ffmpeg") or ():
        if file.match("binaries/ffmpeg-*"):
            return program_at(Path(str(file.locate())).absolute())
    raise NoFFmpeg("This platform has no ffmpeg in its imageio-ffmpeg wheel; name one by RETAKE_FFMPEG.")


async def run(
    ffmpeg: Program,
    arguments: Sequence[str],
    folder: Path,
    patience: Patience,
    *,
    moved: Callable[[int], None] = lambda _frames: None,
    said: Callable[[bytes], None] = lambda _piece: None,
    capture: int = 0,
) -> bytes:
    """Runs to the end and returns what came out of standard output, at most `capture` bytes.

    `moved` is told how many frames the first output has. One decoder feeds all outputs of a run, so that they all have
    about as many. `said` hears all that ffmpeg says, in pieces. Call it from the event loop's thread only.
    """
    one = _Run(folder, patience, Progress(moved), Output(capture), Tail(said))
    ended = "done"
    with tracing.span("ffmpeg") as span:
        try:
            await one.to_its_end(ffmpeg, arguments)
        except FFmpegError as error:
            ended = error.kind
            raise
        except NotStarted:
            ended = "not_started"
            raise
        except asyncio.CancelledError:
            ended = "cancelled"
            raise
        finally:
            metrics.FFMPEG_RUNS.labels(ended).inc()
            span.tell(outcome=ended)
    return bytes(one.output.data)


@dataclass(frozen=True)
class _Run:
    folder: Path
    patience: Patience
    progress: Progress
    output: Output
    tail: Tail

    async def to_its_end(self, ffmpeg: Program, arguments: Sequence[str]) -> None:
        trouble = Output(KEPT)
        async with AsyncExitStack() as opened:
            pipes = [await listen(one, opened) for one in (self.progress, self.output, self.tail, trouble)]
            process = await _start(ffmpeg, arguments, self.folder, self.patience, pipes)
            try:
                async with asyncio.timeout(self.patience.total):
                    await self._watch(process)
            except TimeoutError:
                raise TooLong(f"ffmpeg took more than {self.patience.total:g} s", self.tail.text()) from None
            finally:
                await _end(process)
                with suppress(TimeoutError):  # somebody who left the group may still hold a pipe
                    async with asyncio.timeout(_DRAIN):
                        for pipe in pipes:
                            await pipe.drained.wait()
        if trouble.data:
            raise not_started(bytes(trouble.data))
        if process.returncode:
            raise FFmpegFailed(process.returncode, self.tail.text())
        if self.output.overflown:
            raise self._too_much()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Returns when it ended by itself. It is looked at now and then: a worker that was itself stopped looks not at
        all, and so does not take its own absence for a stall."""
        ending = asyncio.create_task(process.wait())
        before = _bytes_in(self.folder)
        try:
            seen, still = None, 0
            while still < _LOOKS:
                await asyncio.wait({ending}, timeout=self.patience.stall / _LOOKS)
                if ending.done():
                    return
                if self.output.overflown or _bytes_in(self.folder) - before > self.patience.space:
                    raise self._too_much()
                position = (self.progress.position, len(self.output.data))
                still = still + 1 if position == seen else 0
                seen = position
            raise Stalled(f"ffmpeg did not move for {self.patience.stall:g} s", self.tail.text())
        finally:
            ending.cancel()

    def _too_much(self) -> TooMuch:
        return TooMuch("ffmpeg wrote more than was asked for", self.tail.text())


def _bytes_in(folder: Path) -> int:
    """Of files that are there; one that goes meanwhile has none."""
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                total += entry.stat(follow_symlinks=False).st_size
    return total


async def _start(
    ffmpeg: Program, arguments: Sequence[str], folder: Path, patience: Patience, pipes: "list[Pipe]"
) -> asyncio.subprocess.Process:
    progress, output, tail, trouble = pipes
    bounds = Bounds(seconds=math.ceil(patience.total), space=patience.space)
    try:
        return await asyncio.create_subprocess_exec(
            *launching(ffmpeg, folder, bounds, trouble.theirs),
            "-progress", f"pipe:{progress.theirs}", "-stats_period", str(_PERIOD), *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=output.theirs, stderr=tail.theirs,
            pass_fds=(progress.theirs, trouble.theirs), cwd=folder, env={}, start_new_session=True,
        )  # fmt: skip
    finally:
        for pipe in pipes:
            pipe.let_go()


async def _end(process: asyncio.subprocess.Process) -> None:
    """The group is gone afterwards; cancelled, it is killed at once."""
    try:
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await process.wait()
    finally:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To all of its group, also when its leader has ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
