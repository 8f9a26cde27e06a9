"""What comes out of a run of ffmpeg: how far it is, what it writes, what it says. Each is heard over a pipe of its own,
and none is kept beyond a bound, however much comes."""

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Protocol

KEPT = 4096
"""Bytes of what was said last, or of a line that does not end."""


class Hears(Protocol):
    def hear(self, data: bytes) -> None: ...


class Pipe(asyncio.Protocol):
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


async def listen(to: Hears, opened: AsyncExitStack) -> Pipe:
    ours, theirs = os.pipe()
    pipe = Pipe(to.hear, theirs)
    opened.callback(pipe.let_go)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, os.fdopen(ours, "rb", buffering=0))
    opened.callback(transport.close)
    return pipe


class Progress:
    """Lines `name=value`, a block of them now and then."""

    def __init__(self, moved: Callable[[int], None]) -> None:
        self.position = (0, "")
        self._moved = moved
        self._rest = b""

    def hear(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-KEPT:]
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


class Output:
    """Standard output, up to a limit."""

    def __init__(self, most: int) -> None:
        self.data = bytearray()
        self.overflown = False
        self._most = most

    def hear(self, data: bytes) -> None:
        self.overflown = self.overflown or len(self.data) + len(data) > self._most
        if not self.overflown:
            self.data += data


class Tail:
    """The end of what it said; all of it is passed on."""

    def __init__(self, said: Callable[[bytes], None]) -> None:
        self._said = said
        self._data = b""

    def hear(self, data: bytes) -> None:
        self._said(data)
        self._data = (self._data + data)[-KEPT:]

    def text(self) -> str:
        return self._data.decode(errors="replace").strip()
