"""The box walk against files that were made to break it."""

import io
import struct
import time
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clips import Clips
from retake.domain.errors import BadInput
from retake.domain.limits import Limits
from retake_worker.chosen import choose
from retake_worker.movie import Movie, read_movie
from retake_worker.windows import windows

SECONDS = 4
"""No file may take longer: these are as large as the walk reads at all, on a machine with other things to do."""


def box(name: bytes, *parts: bytes, size: int | None = None) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body) if size is None else size, name) + body


def full(name: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, bytes([version]) + flags.to_bytes(3), *parts)


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


MATRIX = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
FTYP = box(b"ftyp", b"isom", bytes(4))


def video(
    *,
    stts: bytes = numbers(1, 10, 100),
    stsz: bytes = numbers(5, 10),
    places: bytes = full(b"stco", numbers(1, 32)),
    more: bytes = b"",
    edits: bytes = b"",
    entry: bytes = b"avc1",
    matrix: bytes = MATRIX,
    reference: bytes = full(b"url ", flags=1),
) -> bytes:
    """A track of ten samples of five bytes each, at byte 32 of the file."""
    sample = box(entry, bytes(6), b"\0\1", bytes(16), struct.pack(">HH", 320, 180), bytes(50))
    stbl = box(
        b"stbl",
        full(b"stsd", numbers(1), sample),
        full(b"stts", stts),
        full(b"stsz", stsz),
        full(b"stsc", numbers(1, 1, 10, 1)),
        places,
        more,
    )
    dref = box(b"dinf", full(b"dref", numbers(1), reference))
    return box(
        b"trak",
        full(b"tkhd", numbers(0, 0, 1, 0, 0), bytes(16), matrix, numbers(320 << 16, 180 << 16), flags=1),
        edits,
        box(
            b"mdia",
            full(b"mdhd", numbers(0, 0, 1000, 1000), bytes(4)),
            full(b"hdlr", bytes(4), b"vide", bytes(13)),
            box(b"minf", dref, stbl),
        ),
    )


def movie(*tracks: bytes, more: bytes = b"") -> bytes:
    moov = box(b"moov", full(b"mvhd", numbers(0, 0, 1000, 1000), bytes(80)), *tracks, more)
    return FTYP + box(b"mdat", bytes(100)) + moov


def fragment(*runs: bytes) -> bytes:
    return box(b"moof", box(b"traf", full(b"tfhd", numbers(1)), *runs))


def read(data: bytes) -> Movie:
    """Reads it within SECONDS, with everything that takes come to know of it."""
    started = time.monotonic()
    try:
        found = read_movie(io.BytesIO(data), len(data))
        windows(choose(found, Limits()).picture)
        return found
    finally:
        assert time.monotonic() - started < SECONDS


def refused(data: bytes) -> str:
    with pytest.raises(BadInput) as error:
        read(data)
    return error.value.failure.code


def test_the_plain_file_that_all_others_here_derive_from_is_sound() -> None:
    (track,) = read(movie(video())).tracks

    assert (track.kind, track.codec, track.width, track.height) == ("vide", "avc1", 320, 180)
    assert (track.samples.count, track.frames, track.seconds, track.samples.ends) == (10, 10, 1.0, 82)


@pytest.mark.parametrize(("a", "b", "rotation"), [(1, 0, 0), (0, 1, 90), (-1, 0, 180), (0, -1, 270), (0, 0, 0)])
def test_the_matrix_turns_clockwise(a: int, b: int, rotation: int) -> None:
    matrix = struct.pack(">9i", a << 16, b << 16, 0, -b << 16, a << 16, 0, 0, 0, 1 << 30)

    assert read(movie(video(matrix=matrix))).tracks[0].rotation == rotation


def test_an_edit_list_says_what_is_shown() -> None:
    elst = full(b"elst", struct.pack(">IIiIIiI", 2, 250, -1, 1 << 16, 400, 300, 1 << 16))

    (track,) = read(movie(video(edits=box(b"edts", elst)))).tracks

    assert (track.frames, track.seconds) == (4, 0.4)


def test_pixels_have_a_shape() -> None:
    data = movie(video())
    entry = data.index(b"avc1")
    sample = int.from_bytes(data[entry - 4 : entry])

    assert sample == 86
    assert read(data).tracks[0].sar == Fraction(1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (FTYP, "corrupt"),
        (FTYP + box(b"mdat", bytes(50), size=59), "truncated"),
        (FTYP + box(b"mdat", size=1) + (2**63).to_bytes(8), "truncated"),
        (movie(video())[:-1], "truncated"),
        (FTYP + box(b"moov", b"short"), "corrupt"),
        (FTYP + box(b"moov", box(b"mvhd", bytes(100), size=4000)), "corrupt"),
        (FTYP + box(b"moov", box(b"cmov", bytes(9)), full(b"mvhd", bytes(96))), "unsupported_codec"),
        (FTYP + box(b"moov", box(b"rmra", bytes(9)), full(b"mvhd", bytes(96))), "external_data"),
        (movie(), "no_video_stream"),
        (movie(video(places=full(b"stco", numbers(1, 10**6)))), "truncated"),
        (movie(video(places=full(b"co64", numbers(1, 1, 0)))), "truncated"),
        (movie(video(stsz=numbers(10**6, 10))), "truncated"),
        (movie(video(stsz=numbers(0, 10, *[500] * 10))), "truncated"),
        (movie(video(stsz=numbers(0, 2**32 - 1))), "corrupt"),
        (movie(video(stsz=numbers(5, 50))), "corrupt"),
        (movie(video(stts=numbers(1, 10, 0))), "corrupt"),
        (movie(video(stts=numbers(2**32 - 1, 10, 100))), "corrupt"),
        (movie(video(stts=numbers(1, 2**32 - 1, 1), stsz=numbers(1, 2**32 - 1))), "too_many_frames"),
        (movie(video(stts=numbers(1, 10, 2**31))), "too_long"),
        (movie(video(reference=full(b"url ", b"file:///etc/passwd\0"))), "external_data"),
        (movie(video(reference=full(b"alis", bytes(30)))), "external_data"),
        (movie(video(entry=b"encv")), "protected"),
        (movie(video(entry=b"SVQ3")), "unsupported_codec"),
        (movie(video(matrix=bytes(36), entry=b"\0\0\0\0")), "unsupported_codec"),
        (movie(*[video()] * 33), "too_many_streams"),
        (movie(video(), more=box(b"free", bytes(40 * 2**20))), "corrupt"),
        (movie(video()) + fragment(full(b"trun", numbers(1000), flags=0x200)), "corrupt"),
        (movie(video()) + fragment(full(b"trun", numbers(2**32 - 1))), "too_many_frames"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_a_rule_is_refused_by_name(data: bytes, code: str) -> None:
    assert refused(data) == code


def test_fragments_add_to_the_index() -> None:
    empty = video(stts=numbers(0), stsz=numbers(0, 0), places=full(b"stco", numbers(0)))
    mvex = box(b"mvex", full(b"trex", numbers(1, 1, 50, 0, 0)))
    run = full(b"trun", numbers(4), flags=0)
    timed = full(b"trun", numbers(2, 10, 30), flags=0x100)
    moof = fragment(run, timed)

    (track,) = read(movie(empty, more=mvex) + moof + box(b"mdat", bytes(9)) + moof).tracks

    assert (track.frames, track.seconds) == (12, 0.48)
    assert list(track.samples.starts()) == [0, 4, 6, 10]


BOMBS: dict[str, Callable[[], bytes]] = {
    "outermost boxes": lambda: FTYP + box(b"free") * 2_000_000,
    "boxes in the index": lambda: movie(more=box(b"free") * 3_900_000),
    "tracks": lambda: movie(*[box(b"trak")] * 100_000),
    "times of nothing": lambda: movie(video(stts=numbers(3_900_000) + bytes(8 * 3_900_000))),
    "sync samples": lambda: movie(video(more=full(b"stss", numbers(7_000_000) + numbers(1) * 7_000_000))),
    "chunks": lambda: movie(video(places=full(b"stco", numbers(7_000_000) + numbers(1) * 7_000_000))),
    "frames": lambda: movie(video(stts=numbers(1, 1_999_999, 1), stsz=numbers(1, 1_999_999))),
    "edits": lambda: movie(
        video(
            stts=numbers(1, 200_000, 1), stsz=numbers(0, 200_000) + bytes(800_000),
            edits=box(b"edts", full(b"elst", numbers(60_000) + struct.pack(">IiI", 1, 0, 1 << 16) * 60_000)),
        )
    ),
    "fragments": lambda: movie(video()) + fragment() * 300_000,
    "a deep index": lambda: movie(more=(box(b"udta", size=8 * 3_000_000) * 3_000_000)),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_no_file_asks_for_much_work(name: str) -> None:
    data = BOMBS[name]()

    try:
        read(data)
    except BadInput:
        return


words = st.sampled_from([0, 1, 7, 8, 9, 16, 100, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1)
changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), words, st.sampled_from([1, 2, 4])), max_size=6)
GOOD_FILE = movie(
    video(
        more=full(b"stss", numbers(2, 1, 6)) + full(b"ctts", numbers(2, 5, 100, 5, 0)),
        edits=box(b"edts", full(b"elst", numbers(1, 1000, 100, 1 << 16))),
    ),
    more=box(b"mvex", full(b"trex", numbers(1, 1, 50, 0, 0))),
) + fragment(full(b"trun", numbers(2, 10, 30), flags=0x100))


@settings(max_examples=400, deadline=SECONDS * 1000)
@given(changes)
def test_no_change_of_a_few_numbers_makes_it_raise_or_loop(changed: list[tuple[float, int, int]]) -> None:
    data = bytearray(GOOD_FILE)
    for place, word, width in changed:
        at = int(place * (len(data) - width))
        data[at : at + width] = (word % 256**width).to_bytes(width)

    try:
        read(bytes(data))
    except BadInput:
        return


@settings(max_examples=200, deadline=SECONDS * 1000)
@given(st.floats(0, 1), st.floats(0, 1), st.binary(max_size=64))
def test_no_cut_and_no_insertion_makes_it_raise_or_loop(one: float, other: float, put: bytes) -> None:
    start, end = sorted(int(share * len(GOOD_FILE)) for share in (one, other))

    try:
        read(GOOD_FILE[:start] + put + GOOD_FILE[end:])
    except BadInput:
        return


@settings(max_examples=200, deadline=SECONDS * 1000)
@given(changes)
def test_no_change_of_a_real_index_makes_it_raise_or_loop(clips: Clips, changed: list[tuple[float, int, int]]) -> None:
    data = bytearray(clips("unicode").read_bytes())
    moov = data.rindex(b"moov")
    for place, word, width in changed:
        at = moov + int(place * (len(data) - moov - width))
        data[at : at + width] = (word % 256**width).to_bytes(width)

    try:
        read(bytes(data))
    except BadInput:
        return


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise_or_loop(data: bytes) -> None:
    with pytest.raises(BadInput):
        read(data)


@pytest.mark.parametrize("share", [n / 50 for n in range(50)])
def test_a_real_file_cut_anywhere_is_never_taken(clips: Clips, share: float) -> None:
    for name in ("motion", "faststart", "fragmented", "mov"):
        data = clips(name).read_bytes()

        assert refused(data[: int(len(data) * share)]) in {"truncated", "corrupt"}
