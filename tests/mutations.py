"""Videos that something was done to: each is pure in its seed, so that what goes wrong can be done again.

Half of what is done hits the index, where a single byte says how many, how long, how large, or where.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SEEDS = ("tiny", "tiny_fragments", "tiny_mov", "tiny_hevc", "tiny_cut")
"""The clips that are mutated (clips.py): 2 seconds of 64 x 64."""

_CONTAINERS = {b"moov", b"trak", b"edts", b"mdia", b"minf", b"dinf", b"stbl", b"mvex", b"moof", b"traf", b"udta"}
_TELLING = (0, 1, 2, 7, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


@dataclass(frozen=True)
class Box:
    name: bytes
    start: int
    end: int


def mutated(seed: int, clip: Callable[[str], bytes]) -> tuple[str, bytes]:
    """What was done, and what came of it. One in four has several things done to it."""
    dice = random.Random(seed)
    name = dice.choice(SEEDS)
    data, did = bytearray(clip(name)), []
    for _ in range(dice.choice((1, 1, 1, dice.randrange(2, 6)))):
        change = dice.choice(_CHANGES)
        change(dice, data)
        did.append(change.__name__.strip("_"))
    return f"{name}: {', '.join(did)}", bytes(data)


def _bytes_anywhere(dice: random.Random, data: bytearray) -> None:
    for _ in range(dice.choice((1, 5, 50, 500))):
        data[dice.randrange(len(data))] = dice.randrange(256)


def _bytes_of_the_index(dice: random.Random, data: bytearray) -> None:
    box = dice.choice(_index(data))
    for _ in range(dice.choice((1, 2, 5))):
        data[dice.randrange(box.start, max(box.start + 1, box.end))] = dice.randrange(256)


def _number(dice: random.Random, data: bytearray) -> None:
    """Four bytes in a row of the index say something else."""
    box = dice.choice([one for one in _index(data) if one.end - one.start >= 12] or [Box(b"", 0, len(data))])
    at = dice.randrange(box.start + 8, box.end - 3) if box.end - box.start > 12 else box.start
    data[at : at + 4] = dice.choice((dice.choice(_TELLING), dice.getrandbits(32))).to_bytes(4)


def _box_size(dice: random.Random, data: bytearray) -> None:
    box = dice.choice(_index(data))
    was = box.end - box.start
    sizes = (0, 1, 7, 8, was - 1, was + 1, was + 8, was * 2, len(data), 0x7FFFFFFF, 0xFFFFFFFF)
    data[box.start : box.start + 4] = dice.choice(sizes).to_bytes(4)


def _box_name(dice: random.Random, data: bytearray) -> None:
    box, other = dice.choice(_index(data)), dice.choice(_index(data))
    data[box.start + 4 : box.start + 8] = dice.choice((other.name.ljust(4)[:4], b"free", bytes(4)))


def _box_gone(dice: random.Random, data: bytearray) -> None:
    box = dice.choice(_index(data))
    del data[box.start : box.end]


def _box_twice(dice: random.Random, data: bytearray) -> None:
    box = dice.choice(_index(data))
    data[box.end : box.end] = data[box.start : box.end]


def _zeros(dice: random.Random, data: bytearray) -> None:
    start = dice.randrange(len(data))
    end = min(len(data), start + dice.choice((16, 512, len(data) // 3)))
    data[start:end] = bytes(end - start)


def _shift(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data))
    data[at:at] = dice.randbytes(dice.randrange(1, 64))


def _cut(dice: random.Random, data: bytearray) -> None:
    del data[dice.randrange(1, len(data)) :]


_CHANGES = (
    _bytes_anywhere, _bytes_of_the_index, _bytes_of_the_index, _number, _number, _number, _box_size, _box_name,
    _box_gone, _box_twice, _zeros, _shift, _cut,
)  # fmt: skip


def _index(data: bytearray) -> list[Box]:
    """All boxes but those that hold samples; the whole, when there is none."""
    return [box for box in _boxes(data, 0, len(data)) if box.name != b"mdat"] or [Box(b"", 0, len(data))]


def _boxes(data: bytearray, start: int, end: int) -> Iterator[Box]:
    while start + 8 <= end:
        length, name = int.from_bytes(data[start : start + 4]), bytes(data[start + 4 : start + 8])
        if not 8 <= length <= end - start:
            return
        yield Box(name, start, start + length)
        if name in _CONTAINERS:
            yield from _boxes(data, start + 8, start + length)
        start += length
