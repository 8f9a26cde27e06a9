"""The tables of a track: how many samples there are, how long they last, which can be sought, where the last one ends.

Counts are multiplied out only after they were held against the bytes that would be needed for them, so that a few
bytes cannot ask for much work.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, repeat
from operator import mul

from retake.domain.errors import TOO_MANY_FRAMES, BadInput
from retake_worker.boxes import Box, broken

MOST = 2_000_000
"""Samples of a video track that are looked at one by one."""


@dataclass(frozen=True)
class Samples:
    """`sync` holds the numbers, from 0, of those that need no other; None when none does. `ends` is the first byte
    after the chunk that lies last."""

    count: int
    ticks: int
    sync: Sequence[int] | None
    ends: int
    times: Box | None = None
    shifts: Box | None = None

    def starts(self) -> Sequence[int]:
        return range(self.count) if self.sync is None else self.sync


def read_samples(stbl: Box, *, exact: bool) -> Samples:
    """`exact` is for pictures; QuickTime's sizes of sound samples mean other things."""
    boxes = {box.name: box for box in stbl.children()}
    stts = boxes.get(b"stts")
    counts, deltas = _counted(stts, 2) if stts else (array("I"), array("I"))
    count, ticks = sum(counts), sum(map(mul, counts, deltas))
    sized, sizes = _sizes(boxes.get(b"stsz") or boxes.get(b"stz2"))
    if exact:
        if abs(sized - count) > 2 + count // 100:
            raise broken(f"{count} samples have a time and {sized} a size")
        count = min(sized, count)
    if exact and count > MOST:
        raise BadInput(TOO_MANY_FRAMES, f"{count} samples")
    sync = None
    if (stss := boxes.get(b"stss")) is not None:
        (numbers,) = _counted(stss, 1)
        sync = sorted({number - 1 for number in numbers if 0 < number <= count})
    ends = _ends(boxes, sizes if exact else 0)
    return Samples(count, ticks, sync, ends, stts, boxes.get(b"ctts"))


def shown(samples: Samples, stretches: Sequence[tuple[int, int]]) -> int:
    """How many samples lie in the stretches of media time that an edit list shows."""
    times = sorted(stamps(samples) or ())
    return sum(bisect_left(times, end) - bisect_left(times, start) for start, end in stretches)


def stamps(samples: Samples) -> list[int] | None:
    """When each sample is shown, in ticks: the durations before it, plus its shift. None when some are in fragments."""
    if samples.times is None:
        return None
    assert samples.count <= MOST
    counts, deltas = _counted(samples.times, 2)
    steps = chain.from_iterable(map(repeat, deltas, counts))
    times = list(accumulate(steps, initial=0))[: samples.count]
    if samples.shifts is None:
        return times
    counts, shifts = _counted(samples.shifts, 2)
    shifted = chain.from_iterable(map(repeat, array("i", shifts.tobytes()), counts))
    return [one + shift for one, shift in zip(times, chain(shifted, repeat(0)), strict=False)]


def _counted(box: Box, columns: int) -> "list[array[int]]":
    return box.table(8, box.number(4), columns)


def _sizes(box: Box | None) -> "tuple[int, int | array[int]]":
    """How many samples, and the one size of all or each one's own."""
    if box is None:
        return 0, 0
    count = box.number(8)
    if box.name == b"stsz":
        size = box.number(4)
        return count, size or box.table(12, count)[0]
    field = box.number(7, 1)
    if field not in (8, 16):
        raise broken(f"samples have sizes of {field} bits")
    packed = box.raw(12, count * field // 8)
    return count, array("I", [int.from_bytes(packed[at : at + field // 8]) for at in range(0, len(packed), field // 8)])


def _ends(boxes: dict[bytes, Box], sizes: "int | array[int]") -> int:
    """The first byte after the chunk that lies last in the file: where it is, and the sizes of the samples in it."""
    places: array[int] = array("Q")
    if (co64 := boxes.get(b"co64")) is not None:
        (places,) = co64.table(8, co64.number(4), width=8)
    elif (stco := boxes.get(b"stco")) is not None:
        (places,) = _counted(stco, 1)
    stsc = boxes.get(b"stsc")
    if not places or stsc is None:
        return 0
    start = max(places)
    chunk = places.index(start) + 1
    before, per_chunk, first = 0, 0, 1
    for next_first, next_per_chunk, _ in zip(*_counted(stsc, 3), strict=True):
        if next_first > chunk:
            break
        before += (next_first - first) * per_chunk
        first, per_chunk = next_first, next_per_chunk
    before += (chunk - first) * per_chunk
    if isinstance(sizes, int):
        return start + per_chunk * sizes
    return start + sum(sizes[before : before + per_chunk]) if before >= 0 else start
