"""`make logs`: what the logs of all parts tell, for a person. With JOB=id it is the story of that job, in order.

To it belongs each line that names the job, and each of a request that did so. Requests that only looked are counted,
not shown: who waits asks often.
"""

import os
import re
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from retake_local.log_lines import Line, Reader, bounded, logs_in, texts

LAST = 50
"""Lines that are shown of everything."""
_TAIL = 64 * 2**10
_LOOK_EVERY = 0.3
_COLOURS = {"dim": "2", "where": "36", "warning": "33", "error": "31", "critical": "31"}
_MARKS = {"warning": "!", "error": "x", "critical": "x"}
_OBVIOUS = frozenset({"level", "logger", "component", "workspace", "route"})
_OF_REQUESTS = ("method", "path", "status")
_ROWS = 12
_IDS = ("job", "video", "part", "claim", "take")
_REQUEST = re.compile(r'"request": "([A-Za-z0-9._-]{1,64})"')
_FETCHES = ("/download", "/source", "/variations/{index}")
"""How routes end that give videos: who fetches them belongs to the story."""


@dataclass(frozen=True)
class Teller:
    """Puts lines on a terminal, or into a pipe: aligned, with colours or without."""

    say: Callable[[str], None]
    colour: bool
    where: int
    hidden: frozenset[str] = _OBVIOUS
    event: int = 20

    def tell(self, line: Line) -> None:
        level = str(line.told.get("level"))
        head = f"{self._painted('dim', f'{line.at:%H:%M:%S.%f}'[:-3])}  "
        head += f"{self._painted('where', line.where.ljust(self.where))} {_MARKS.get(level, ' ')} "
        told = {name: value for name, value in line.told.items() if name not in self.hidden}
        below = {name: str(told.pop(name)) for name, value in list(told.items()) if "\n" in str(value)}
        first = [_safe(str(told.pop(name, ""))) for name in _OF_REQUESTS] if line.event == "request" else []
        known = {name: told.pop(name) for name in _IDS if name in told}
        words = [*first, *(f"{name}={_shown(name, value)}" for name, value in {**known, **told}.items())]
        event = _safe(line.event).ljust(self.event if words else 0)
        self.say(head + " ".join([self._painted(level, event), *words]))
        for name, text in below.items():
            for row in _ending(text):
                self.say(f"{'':{self.where + 17}}{self._painted('dim', f'{name}|')} {_safe(row)}")

    def _painted(self, what: str, text: str) -> str:
        return f"\033[{_COLOURS[what]}m{text}\033[0m" if self.colour and what in _COLOURS else text


def _shown(name: str, value: Any) -> str:
    if name == "video":
        value = str(value)[:8]
    text = value if isinstance(value, str) else repr(value)
    return repr(text) if " " in text or not text else _safe(text)


def _ending(text: str) -> list[str]:
    """What a tail or a stack comes to stands at its end."""
    first, *rows = text.splitlines()
    return [first, *rows] if len(rows) <= _ROWS else [first, f"({len(rows) - _ROWS} lines)", *rows[-_ROWS:]]


def _safe(text: str) -> str:
    """What a stranger wrote does not steer the terminal."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def teller(folder: Path, *, hidden: Iterable[str] = ()) -> Teller:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = max((len(log.stem) for log in logs_in(folder)), default=0)
    return Teller(_say, colour, width, _OBVIOUS | frozenset(hidden))


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201  this process talks to a person at a terminal


def tell_job(folder: Path, asked: str) -> int:
    """0 when there was something to tell, 1 when no log knows the job."""
    try:
        job = str(UUID(asked))
    except ValueError:
        _say(f"{_safe(asked)!r} is not the id of a job: that is like 8f14e45f-ceea-467f-a0e6-6a1c0f0d2a1b.")
        return 1
    lines = story(folder, job)
    if not lines:
        _say(f"No log in {folder} knows a job {job}. It may be older than the logs, or another installation's.")
        return 1
    told = [line for line in lines if not _only_looked(line)]
    traces = {line.told["trace"] for line in lines if {"trace", "part"} <= line.told.keys()}  # requests have their own
    _say(", trace ".join([f"job {job}", *sorted(traces)]))
    put = teller(folder, hidden=("job", "request", "trace"))
    for day, of_day in groupby(told, key=lambda line: line.at.date()):
        _say(f"{day} UTC")
        for line in of_day:
            put.tell(line)
    if looked := len(lines) - len(told):
        _say(f"{looked} requests that only looked at it are not shown.")
    return 0


def story(folder: Path, job: str) -> list[Line]:
    """Twice through the logs: which requests had to do with it is only known after the first time."""
    logs = logs_in(folder)
    requests = {request for log in logs for text in texts(log) if job in text and (request := _request_of(text))}
    lines = []
    for log in logs:
        reader = Reader(log.stem)
        lines += [reader.read(text) for text in texts(log) if job in text or _request_of(text) in requests]
    return sorted(lines, key=lambda line: line.at)


def _request_of(text: str) -> str | None:
    found = _REQUEST.search(text)
    return found and found[1]


def _only_looked(line: Line) -> bool:
    told = line.told
    if line.event != "request" or told.get("method") not in ("GET", "HEAD") or not told.get("status", 0) < 400:
        return False
    return not str(told.get("route")).endswith(_FETCHES)


def tell_all(folder: Path) -> int:
    """The last lines of everything and, on a terminal, what follows, until Ctrl-C."""
    logs = logs_in(folder)
    if not logs:
        _say(f"There are no logs in {folder}. `make run` starts what writes them.")
        return 1
    put = teller(folder)
    grown = {log: Grown(log, max(0, log.stat().st_size - _TAIL)) for log in logs}
    newest = sorted((line for one in grown.values() for line in one.read()), key=lambda line: line.at)[-LAST:]
    while True:
        for line in newest:
            put.tell(line)
        if not sys.stdout.isatty():
            return 0
        time.sleep(_LOOK_EVERY)
        grown |= {log: Grown(log, 0) for log in logs_in(folder) if log not in grown}
        newest = sorted((line for one in grown.values() for line in one.read()), key=lambda line: line.at)


class Grown:
    """A log that is read on from where it ended; from its beginning, when it was emptied meanwhile."""

    def __init__(self, log: Path, begin: int) -> None:
        self._log, self._read = log, begin
        self._reader = Reader(log.stem)
        self._half = begin > 0  # it begins somewhere in a line

    def read(self) -> list[Line]:
        """Whole lines only: the end of one may still come."""
        with self._log.open("rb") as opened:
            if os.fstat(opened.fileno()).st_size < self._read:
                self._read = 0
            opened.seek(self._read)
            whole, _, _ = opened.read().rpartition(b"\n")
        self._read += len(whole) + 1 if whole else 0
        lines = whole.split(b"\n")[self._half :]
        self._half = False
        return [self._reader.read(text) for text in bounded(lines)]
