"""The ZIP writer. It writes nothing: it lays out where every byte of an archive lies, before the first is sent.

    local header, data  |  local header, data  |  ...  |  central directory  |  (zip64 end, its locator)  |  end

Sizes and CRC-32s are known from the rows, so headers are final (no data descriptors), the length is exact, and the
same entries give the same bytes on every replica. Entries are stored: video does not compress. Names are UTF-8 and
say so. Zip64 records stand only where a number does not fit into the classic ones.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from retake_api.segments import Content, Layout, end_to_end

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_EXTRA64 = 1

_CLASSIC, _ZIP64 = 20, 45  # the version of the format a reader needs
_UNIX = 3 << 8
_FILE = 0o100644 << 16
_UTF8 = 1 << 11
_FULL16, _FULL32 = 2**16 - 1, 2**32 - 1  # a field that is full says: look at the zip64 record


@dataclass(frozen=True)
class Entry:
    """A file of the archive. `modified` is written in UTC, to two seconds, from 1980 to 2107."""

    path: str
    modified: datetime
    size: int
    crc32: int
    content: Content


def literal(path: str, modified: datetime, data: bytes) -> Entry:
    return Entry(path, modified, len(data), zlib.crc32(data), data)


def lay_out(entries: Sequence[Entry]) -> Layout:
    if len({entry.path for entry in entries}) < len(entries):
        raise ValueError("two entries have one path")
    return end_to_end(_contents(entries))


def _contents(entries: Sequence[Entry]) -> Iterator[tuple[int, Content]]:
    at = 0
    directory = []
    for entry in entries:
        header = _local(entry)
        directory.append(_central(entry, at))
        yield len(header), header
        yield entry.size, entry.content
        at += len(header) + entry.size
    records = b"".join(directory)
    ending = records + _end(len(entries), len(records), at)
    yield len(ending), ending


def _local(entry: Entry) -> bytes:
    name = entry.path.encode()
    extra = _extra([entry.size, entry.size] if entry.size >= _FULL32 else [])
    size = min(entry.size, _FULL32)
    return (
        _LOCAL.pack(
            b"PK\3\4", _ZIP64 if extra else _CLASSIC, _UTF8, 0, *_dos_time(entry.modified), entry.crc32, size, size,
            len(name), len(extra),
        )
        + name
        + extra
    )  # fmt: skip


def _central(entry: Entry, offset: int) -> bytes:
    name = entry.path.encode()
    extra = _extra([number for number in (entry.size, entry.size, offset) if number >= _FULL32])
    needed = _ZIP64 if extra else _CLASSIC
    size = min(entry.size, _FULL32)
    return (
        _CENTRAL.pack(
            b"PK\1\2", _UNIX | needed, needed, _UTF8, 0, *_dos_time(entry.modified), entry.crc32, size, size,
            len(name), len(extra), 0, 0, 0, _FILE, min(offset, _FULL32),
        )
        + name
        + extra
    )  # fmt: skip


def _extra(numbers: list[int]) -> bytes:
    """The zip64 field: what does not fit elsewhere, in this order."""
    return struct.pack(f"<2H{len(numbers)}Q", _EXTRA64, 8 * len(numbers), *numbers) if numbers else b""


def _end(count: int, size: int, start: int) -> bytes:
    """The end records, for a central directory of `count` records and `size` bytes that begins at `start`."""
    end = _END.pack(
        b"PK\5\6", 0, 0, min(count, _FULL16), min(count, _FULL16), min(size, _FULL32), min(start, _FULL32), 0
    )
    if count < _FULL16 and size < _FULL32 and start < _FULL32:
        return end
    end64 = _END64.pack(b"PK\6\6", _END64.size - 12, _UNIX | _ZIP64, _ZIP64, 0, 0, count, count, size, start)
    return end64 + _LOCATOR.pack(b"PK\6\7", 0, start + size, 1) + end


def _dos_time(moment: datetime) -> tuple[int, int]:
    """Time and date as the format has them."""
    utc = moment.astimezone(UTC)
    if utc.year < 1980:
        utc = datetime(1980, 1, 1, tzinfo=UTC)
    elif utc.year > 2107:
        utc = datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)
    time = utc.hour << 11 | utc.minute << 5 | utc.second // 2
    return time, (utc.year - 1980) << 9 | utc.month << 5 | utc.day
