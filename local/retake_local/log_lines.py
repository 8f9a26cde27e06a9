"""Lines of the logs of all parts, read back: the JSON of our services, and what the servers write in their own ways.

A log is its file and the one it was before it grew too large (`.log.1`). Lines without a time of their own belong to
the one before them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LONGEST = 64 * 2**10
"""Bytes of a line that are read; ours are shorter."""

_STAMP = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)")  # servers are told to log in UTC
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    at: datetime
    where: str
    """The part of retake that wrote it, as `make status` calls it."""
    event: str
    told: Mapping[str, Any] = field(default_factory=dict)
    """All else, of a service's line."""


@dataclass
class Reader:
    """Of one log, from its first line on."""

    where: str
    last: datetime = _LONG_AGO

    def read(self, text: str) -> Line:
        if text.startswith("{"):
            try:
                told = json.loads(text)
                self.last = datetime.fromisoformat(told.pop("timestamp"))
                return Line(self.last, self.where, str(told.pop("event")), told)
            except (ValueError, KeyError, TypeError):
                pass  # half a line, of a process that was killed
        elif stamp := _STAMP.search(text[:100]):
            year, month, day, time = stamp.groups()
            self.last = datetime.fromisoformat(f"{year}-{month}-{day}T{time.ljust(15, '0') if '.' in time else time}Z")
        return Line(self.last, self.where, text)


def logs_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.log"))


def texts(log: Path) -> Iterator[str]:
    """All there is of one log, oldest first."""
    for file in (log.with_suffix(".log.1"), log):
        if file.exists():
            with file.open("rb") as opened:
                yield from bounded(opened)


def bounded(lines: Iterable[bytes]) -> Iterator[str]:
    for line in lines:
        if text := line[:LONGEST].decode(errors="replace").rstrip():
            yield text
