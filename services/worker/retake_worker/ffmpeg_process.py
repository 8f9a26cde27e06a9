"""One run of ffmpeg, from start to certain end.

It sees an empty environment, no input, and its own scratch folder as the working one; it is a process group of its own
and dies with the worker (launcher.py). It ends in one of these ways:

    it returns            exit code 0; what it made still has to be checked
    FFmpegError
      FFmpegFailed        another exit code; carries the end of what it said, for logs
      Stalled             no frame and no byte for `stall` seconds: ffmpeg can wait for itself for ever
      TooLong             the whole run took more than `total` seconds
      TooMuch             it wrote more to standard output than was asked for
    CancelledError        whoever waited for it was cancelled

and in every one of them the whole group is gone before `run` is left: SIGTERM, two seconds, SIGKILL.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launcher.py")
_TAIL = 4096
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


class FFmpegFailed(FFmpegError):
    def __init__(self, code: int, tail: str) -> None:
        super().__init__(f"ffmpeg ended with {code}", tail)
        self.code = code


class Stalled(FFmpegError):
    """Nothing moved for too long."""


class TooLong(FFmpegError):
    """The whole run took too long."""


class TooMuch(FFmpegError):
    """More came out than was asked for."""


@dataclass(frozen=True)
class Patience:
    """How long a run may take, in seconds: without any progress, and as a whole."""

    stall: float = 30
    total: float = 3600


def find_ffmpeg(setting: str | None) -> Path:
    """RETAKE_FFMPEG, or the program in the imageio-ffmpeg wheel, found without importing that."""
    if setting is not None:
        if (found := shutil.which(setting)) is None:
            raise NoFFmpeg(f"RETAKE_FFMPEG names {setting!r}, which is no program.")
        return Path(found).absolute()
    for file in metadata.files("imageio-ffmpeg") or ():
        if file.match("binaries/ffmpeg-*"):
            return Path(str(file.locate())).absolute()
    raise NoFFmpeg("This platform has no ffmpeg in its imageio-ffmpeg wheel; name one by RETAKE_FFMPEG.")


async def run(
    ffmpeg: Path,
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
    progress, output, tail = _Progress(moved), _Output(capture), _Tail(said)
    async with AsyncExitStack() as opened:
        pipes = [await _listen(hear, opened) for hear in (progress.hear, output.hear, tail.hear)]
        process = await _start(ffmpeg, arguments, folder, pipes)
        try:
            async with asyncio.timeout(patience.total):
                await _watch(process, patience.stall, progress, output, tail)
        except TimeoutError:
            raise TooLong(f"ffmpeg took more than {patience.total:g} s", tail.text()) from None
        finally:
            await _end(process)
            with suppress(TimeoutError):  # somebody who left the group may still hold a pipe
                async with asyncio.timeout(_DRAIN):
                    for pipe in pipes:
                        await pipe.drained.wait()
    if process.returncode:
        raise FFmpegFailed(process.returncode, tail.text())
    if output.overflown:
        raise TooMuch(f"ffmpeg wrote more than {capture} bytes", tail.text())
    return bytes(output.data)


async def _start(
    ffmpeg: Path, arguments: Sequence[str], folder: Path, pipes: "list[_Pipe]"
) -> asyncio.subprocess.Process:
    progress, output, tail = pipes
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", _LAUNCHER, str(os.getpid()), ffmpeg,
            "-progress", f"pipe:{progress.theirs}", "-stats_period", str(_PERIOD), *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=output.theirs, stderr=tail.theirs, pass_fds=(progress.theirs,),
            cwd=folder, env={}, start_new_session=True,
        )  # fmt: skip
    finally:
        for pipe in pipes:
            pipe.let_go()


async def _watch(
    process: asyncio.subprocess.Process, stall: float, progress: "_Progress", output: "_Output", tail: "_Tail"
) -> None:
    """Returns when it ended by itself. It is looked at now and then: a worker that was itself stopped looks not at all,
    and so does not take its own absence for a stall."""
    ending = asyncio.create_task(process.wait())
    try:
        seen, still = None, 0
        while still < _LOOKS:
            await asyncio.wait({ending}, timeout=stall / _LOOKS)
            if ending.done():
                return
            if output.overflown:
                raise TooMuch("ffmpeg writes more than was asked for", tail.text())
            position = (progress.position, len(output.data))
            still = still + 1 if position == seen else 0
            seen = position
        raise Stalled(f"ffmpeg did not move for {stall:g} s", tail.text())
    finally:
        ending.cancel()


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


class _Pipe(asyncio.Protocol):
    """A pipe out of ffmpeg. asyncio's own would keep `wait` waiting for whoever still holds the other end."""

    def __init__(self, hear: Callable[[bytes], None], theirs: int) -> None:
        self.theirs = theirs
        self.drained = asyncio.Event()
        self._hear = hear
        self._open = True

    def let_go(self) -> None:
        """Of the end that ffmpeg has by now."""
        if self._open:
            self._open = False
            os.close(self.theirs)

    def data_received(self, data: bytes) -> None:
        self._hear(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self.drained.set()


async def _listen(hear: Callable[[bytes], None], opened: AsyncExitStack) -> _Pipe:
    ours, theirs = os.pipe()
    pipe = _Pipe(hear, theirs)
    opened.callback(pipe.let_go)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, os.fdopen(ours, "rb", buffering=0))
    opened.callback(transport.close)
    return pipe


class _Progress:
    """Lines `name=value`, a block of them now and then."""

    def __init__(self, moved: Callable[[int], None]) -> None:
        self.position = (0, "")
        self._moved = moved
        self._rest = b""

    def hear(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_TAIL:]
        frames, time = self.position
        for line in lines:
            name, _, value = line.decode(errors="replace").partition("=")
            if name == "frame" and value.strip().isdecimal():
                frames = int(value)
            elif name == "out_time_us":
                time = value
        before, self.position = self.position, (frames, time)
        if frames != before[0]:
            self._moved(frames)


class _Output:
    """Standard output, up to a limit."""

    def __init__(self, most: int) -> None:
        self.data = bytearray()
        self.overflown = False
        self._most = most

    def hear(self, data: bytes) -> None:
        self.overflown = self.overflown or len(self.data) + len(data) > self._most
        if not self.overflown:
            self.data += data


class _Tail:
    """The end of what it said; all of it is passed on."""

    def __init__(self, said: Callable[[bytes], None]) -> None:
        self._said = said
        self._data = b""

    def hear(self, data: bytes) -> None:
        self._said(data)
        self._data = (self._data + data)[-_TAIL:]

    def text(self) -> str:
        return self._data.decode(errors="replace").strip()
