"""What of a resource a request wants: RFC 9110's preconditions, then its Range, in that order.

One range is served; of several, and of what cannot be read, nothing is asked, which the RFC allows: the answer is the
whole. `If-Range` with another version asks for the whole too, so that a client never joins bytes of two versions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True)
class Version:
    """Of the resource, now. `ranges` says whether it will be the same bytes the next time somebody asks."""

    etag: str
    size: int
    modified: datetime | None = None
    ranges: bool = True

    @property
    def last_modified(self) -> str | None:
        return None if self.modified is None else format_datetime(self.modified.astimezone(UTC), usegmt=True)


@dataclass(frozen=True)
class Wanted:
    """The status of the answer and, with 200 and 206, its first byte and how many there are."""

    status: int
    first: int = 0
    length: int = 0


def wanted(method: str, headers: Mapping[str, str], version: Version) -> Wanted:
    if (given := headers.get("if-match")) is not None and not _names(given, version.etag, weakly=False):
        return Wanted(412)
    if (given := headers.get("if-none-match")) is not None and _names(given, version.etag, weakly=True):
        return Wanted(304)
    whole = Wanted(200, 0, version.size)
    asked = headers.get("range")
    if asked is None or method != "GET" or not version.ranges:
        return whole
    if (given := headers.get("if-range")) is not None and given.strip() not in {version.etag, version.last_modified}:
        return whole
    return _range(asked, version.size) or whole


def _range(asked: str, size: int) -> Wanted | None:
    """None when it is not one range of bytes."""
    match = _RANGE.fullmatch(asked)
    if match is None or match[1] == match[2] == "":
        return None
    if not match[1]:
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2] or size), size - 1)
        if match[2] and int(match[2]) < first:
            return None
    return Wanted(206, first, last - first + 1) if first <= last else Wanted(416)


def _names(given: str, etag: str, *, weakly: bool) -> bool:
    tags = {tag.strip() for tag in given.split(",")}
    return "*" in tags or etag in tags or (weakly and f"W/{etag}" in tags)
