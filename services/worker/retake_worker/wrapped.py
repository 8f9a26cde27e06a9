"""What a Matroska, WebM or AVI file says of its own length: whether its end is there, and how many seconds it lasts.

FFmpeg takes what it finds of such a file, and calls that a success. As for boxes.py, whoever made the file chose every
number in it; what breaks a rule is BadInput, and nothing else is raised.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from retake.domain.errors import TRUNCATED, BadInput
from retake_worker.boxes import broken

_MOST = 4096  # elements or chunks before the one that is looked for
_MOST_HEAD = 2**20
_SEGMENT, _INFO, _CLUSTER, _TICK, _DURATION = 0x18538067, 0x1549A966, 0x1F43B675, 0x2AD7B1, 0x4489
_HAS_INDEX = 0x10


@dataclass(frozen=True)
class Piece:
    """An element of Matroska or a chunk of AVI. `end` is None for one that lasts until something else begins."""

    name: int | bytes
    body: int
    end: int | None


def matroska_seconds(file: BinaryIO, size: int) -> float | None:
    """None when it does not say, as a recording that was written to nobody knows where."""
    segment = next((one for one in _elements(file, 0, size) if one.name == _SEGMENT), None)
    if segment is None or (segment.end or 0) > size:
        raise BadInput(TRUNCATED, f"{segment} of a file of {size} bytes")
    for element in _elements(file, segment.body, size):
        if element.name == _INFO and element.end is not None:
            return _told(file, element.body, min(element.end, element.body + _MOST_HEAD))
        if element.name == _CLUSTER:
            break
    return None


def _told(file: BinaryIO, start: int, end: int) -> float | None:
    values = {}
    for element in _elements(file, start, end):
        if element.name in (_TICK, _DURATION) and element.end is not None and element.end - element.body <= 8:
            file.seek(element.body)
            values[element.name] = file.read(element.end - element.body)
    duration = values.get(_DURATION, b"")
    if len(duration) not in (4, 8):
        return None
    ticks: float = struct.unpack(">f" if len(duration) == 4 else ">d", duration)[0]
    return ticks * int.from_bytes(values.get(_TICK, (10**6).to_bytes(3))) / 1e9


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[Piece]:
    """One after the other, none inside another."""
    at = start
    for _ in range(_MOST):
        file.seek(at)
        head = file.read(12)
        if at >= end or not head or (name_length := _length(head[0])) > 4:
            return
        rest = head[name_length:]
        if not rest or (size_length := _length(rest[0])) > 8 or len(rest) < size_length:
            return
        body = at + name_length + size_length
        length = int.from_bytes(rest[:size_length]) & (1 << 7 * size_length) - 1
        unknown = length == (1 << 7 * size_length) - 1
        yield Piece(int.from_bytes(head[:name_length]), body, None if unknown else body + length)
        at = body if unknown else body + length


def _length(first: int) -> int:
    """Of a number that begins with this byte; 9 when none does."""
    return 9 - first.bit_length()


def avi_seconds(file: BinaryIO, size: int) -> float | None:
    """Of the picture. One that says it has an index, which comes last, and has none was cut off."""
    riffs = [one for one in _chunks(file, 0, size) if one.name == b"RIFF"]
    if not riffs or any(one.end == one.body or (one.end or 0) > size for one in riffs):
        raise BadInput(TRUNCATED, f"{riffs} in a file of {size} bytes")
    head, indexed = b"", len(riffs) > 1
    for chunk in _chunks(file, riffs[0].body + 4, riffs[0].end or size):
        file.seek(chunk.body)
        if chunk.name == b"LIST" and file.read(4) == b"hdrl":
            head = file.read(max(0, min((chunk.end or 0) - chunk.body - 4, _MOST_HEAD)))
        indexed = indexed or chunk.name == b"idx1"
    flags = _numbers(head, b"avih", 12, 1)
    if flags is None:
        raise broken("AVI without a head")
    if flags[0] & _HAS_INDEX and not indexed and b"indx" not in head:
        raise BadInput(TRUNCATED, "no index")
    told = _numbers(head, b"vids", 20, 4)
    return None if told is None or told[1] == 0 else told[3] * told[0] / told[1]


def _numbers(head: bytes, after: bytes, at: int, count: int) -> tuple[int, ...] | None:
    """Numbers in what comes after this name: the length of a chunk comes between for all but what a stream is of."""
    place = head.find(after) + at + (8 if after == b"avih" else 0)
    if after not in head or place + 4 * count > len(head):
        return None
    return struct.unpack_from(f"<{count}I", head, place)


def _chunks(file: BinaryIO, start: int, end: int) -> Iterator[Piece]:
    at = start
    for _ in range(_MOST):
        file.seek(at)
        head = file.read(8)
        if at + 8 > end or len(head) < 8:
            return
        body, length = at + 8, int.from_bytes(head[4:], "little")
        yield Piece(head[:4], body, body + length)
        at = body + length + (length & 1)
