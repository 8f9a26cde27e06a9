import io
import struct
import zipfile
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archives import sparse
from retake_api.segments import Layout, Stored
from retake_api.zipstream import Entry, lay_out, literal

AT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
GIB = 2**30
FULL = 2**32 - 1


def written(layout: Layout, objects: dict[str, bytes] | None = None) -> bytes:
    """The archive as it would be sent."""
    return b"".join(
        segment.content if isinstance(segment.content, bytes) else (objects or {})[segment.content.key]
        for segment in layout.segments
    )


def opened(archive: bytes | Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive)


def video(path: str, data: bytes) -> Entry:
    """One whose bytes lie under its path."""
    return Entry(path, AT, len(data), zlib.crc32(data), Stored(path))


def test_what_was_laid_out_can_be_read_back() -> None:
    objects = {"a/a_var1.mp4": b"one", "été/été_var1.mp4": bytes(range(256)) * 100, "b/empty": b""}
    entries = [literal("manifest.json", AT, b"{}"), *(video(path, data) for path, data in objects.items())]

    archive = opened(written(lay_out(entries), objects))

    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == {"manifest.json": b"{}", **objects}


def test_every_entry_is_stored_whole_with_a_final_header_and_a_utf8_name() -> None:
    archive = written(lay_out([literal("été.txt", AT, b"hello")]))

    (info,) = opened(archive).infolist()
    assert (info.compress_type, info.flag_bits, info.compress_size, info.file_size) == (0, 1 << 11, 5, 5)
    assert (info.CRC, info.date_time, info.extra) == (zlib.crc32(b"hello"), (2026, 3, 4, 5, 6, 8), b"")
    assert info.external_attr >> 16 == 0o100644
    assert struct.unpack_from("<3I", archive, 14) == (zlib.crc32(b"hello"), 5, 5)
    assert archive[26:30] == struct.pack("<2H", len("été.txt".encode()), 0)


def test_the_same_entries_give_the_same_bytes() -> None:
    entries = [literal("a", AT, b"a"), literal("b", AT.astimezone(timezone(timedelta(hours=5))), b"b")]

    assert written(lay_out(entries)) == written(lay_out([literal("a", AT, b"a"), literal("b", AT, b"b")]))


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.binary(max_size=50), max_size=8))
def test_segments_lie_end_to_end_and_add_up_to_the_length(files: dict[str, bytes]) -> None:
    layout = lay_out([video(path, data) for path, data in files.items()])

    at = 0
    for segment in layout.segments:
        assert segment.start == at
        assert segment.size > 0
        at += segment.size
    assert layout.size == at == len(written(layout, files))


def test_an_archive_of_nothing_is_an_archive() -> None:
    assert opened(written(lay_out([]))).namelist() == []


def test_two_entries_of_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match="two entries have one path"):
        lay_out([literal("a", AT, b""), literal("a", AT, b"")])


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), (1980, 1, 1, 0, 0, 0)),
        (datetime(2300, 1, 1, tzinfo=UTC), (2107, 12, 31, 23, 59, 58)),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), (2026, 12, 31, 23, 59, 58)),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), (2025, 12, 31, 23, 0, 0)),
    ],
)
def test_times_are_in_utc_and_within_what_the_format_can_say(moment: datetime, shown: tuple[int, ...]) -> None:
    (info,) = opened(written(lay_out([literal("a", moment, b"")]))).infolist()

    assert info.date_time == shown


@pytest.mark.parametrize("size", [FULL - 1, FULL, FULL + 1, 9 * GIB])
def test_an_entry_that_does_not_fit_into_four_bytes_has_zip64_sizes(size: int, tmp_path: Path) -> None:
    layout = lay_out([Entry("big", AT, size, 7, Stored("k")), literal("last", AT, b"last")])

    big, last = (archive := opened(sparse(layout, tmp_path / "zip"))).infolist()
    assert (big.file_size, big.compress_size, big.CRC) == (size, size, 7)
    assert big.extract_version == (45 if size >= FULL else 20)
    assert last.header_offset == layout.segments[2].start
    assert archive.read("last") == b"last"
    local = layout.segments[0].content
    assert isinstance(local, bytes)
    assert local[18:26] == struct.pack("<2I", *[min(size, FULL)] * 2)
    assert local[33:] == (struct.pack("<2H2Q", 1, 16, size, size) if size >= FULL else b"")


def test_a_big_entry_after_a_big_entry_has_its_sizes_and_its_place(tmp_path: Path) -> None:
    layout = lay_out([Entry(path, AT, 5 * GIB, 7, Stored("k")) for path in ("one", "other")])

    other = opened(sparse(layout, tmp_path / "zip")).getinfo("other")

    assert (other.file_size, other.compress_size) == (5 * GIB, 5 * GIB)
    assert other.header_offset == layout.segments[2].start


@pytest.mark.parametrize("before", [FULL - 33, FULL - 32, FULL - 31])
def test_an_entry_that_starts_beyond_four_bytes_is_found(before: int, tmp_path: Path) -> None:
    """The first local header takes 33 bytes, so the second starts at, before or after the last classic offset."""
    layout = lay_out([Entry("big", AT, before, 7, Stored("k")), literal("last", AT, b"last")])

    archive = opened(sparse(layout, tmp_path / "zip"))

    assert archive.getinfo("last").header_offset == before + 33
    assert archive.read("last") == b"last"


@pytest.mark.parametrize("start", [FULL - 1, FULL, FULL + 1])
def test_a_directory_that_starts_beyond_four_bytes_is_found(start: int, tmp_path: Path) -> None:
    layout = lay_out([Entry("big", AT, start - 33 - 33 - 4, 7, Stored("k")), literal("las", AT, b"last")])

    archive = opened(sparse(layout, tmp_path / "zip"))

    assert archive.start_dir == start
    assert archive.read("las") == b"last"
    assert isinstance(layout.segments[-1].content, bytes)
    assert (b"PK\6\6" in layout.segments[-1].content) == (start >= FULL)


@pytest.mark.parametrize("count", [65_534, 65_535, 70_000])
def test_more_entries_than_two_bytes_count_are_all_there(count: int) -> None:
    layout = lay_out([literal(f"{number}", AT, b"") for number in range(count)])

    archive = written(layout)

    assert len(opened(archive).namelist()) == count
    assert (b"PK\6\6" in archive) == (count >= 65_535)


def test_names_of_any_length_that_fits_are_kept() -> None:
    names = ["x" * 255 + "/" + "é" * 120, "a"]

    archive = opened(written(lay_out([literal(name, AT, b"") for name in names])))

    assert archive.namelist() == names
