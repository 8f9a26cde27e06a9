"""The boxes an MP4 or MOV file is made of: a size, four letters, a body; some bodies are boxes again.

Whoever made the file chose every number in it, so nothing is believed: a box ends where its parent ends, a table holds
what fits into its box, and all boxes of a file share one budget. What breaks a rule is BadInput, and
nothing else is raised.
"""

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from retake.domain.errors import CORRUPT, BadInput

MOST_BOXES = 400_000
MOST_TOP = 120_000
_TYPES = {4: "I", 8: "Q"}


def broken(detail: str) -> BadInput:
    return BadInput(CORRUPT, detail)


class Budget:
    """Boxes that may still be looked at."""

    def __init__(self, boxes: int = MOST_BOXES) -> None:
        self._left = boxes

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise broken("more boxes than any real file has")


@dataclass(frozen=True)
class Place:
    """A box of the file itself; `end` may lie beyond the end of the file."""

    name: bytes
    start: int
    body: int
    end: int


def top_level(file: BinaryIO, size: int) -> Iterator[Place]:
    """The outermost boxes. Bytes after them that are no box end the walk: tools and cameras do append things."""
    start = 0
    for _ in range(MOST_TOP):
        if start + 8 > size:
            return
        file.seek(start)
        head = file.read(16)
        length, name, body = int.from_bytes(head[:4]), head[4:8], start + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16]), start + 16
        elif length == 0:
            length = size - start
        if length < body - start:
            return
        yield Place(name, start, body, start + length)
        start += length
    raise broken("more outermost boxes than any real file has")


class Box:
    """A box in memory. Offsets count from the start of its body."""

    def __init__(self, name: bytes, body: memoryview, budget: Budget) -> None:
        self.name, self._body, self._budget = name, body, budget

    def __len__(self) -> int:
        return len(self._body)

    def __str__(self) -> str:
        return self.name.decode("latin-1")

    def raw(self, at: int, length: int) -> bytes:
        if at < 0 or length < 0 or at + length > len(self._body):
            raise broken(f"box {self} is too short")
        return bytes(self._body[at : at + length])

    def number(self, at: int, length: int = 4, *, signed: bool = False) -> int:
        return int.from_bytes(self.raw(at, length), signed=signed)

    @property
    def version(self) -> int:
        return self.number(0, 1)

    @property
    def flags(self) -> int:
        return self.number(1, 3)

    def table(self, at: int, rows: int, columns: int = 1, width: int = 4) -> "list[array[int]]":
        """`rows` rows of unsigned numbers, as columns."""
        numbers = array(_TYPES[width], self.raw(at, rows * columns * width))
        assert numbers.itemsize == width
        if sys.byteorder == "little":
            numbers.byteswap()
        return [numbers[column::columns] for column in range(columns)] if columns > 1 else [numbers]

    def children(self, at: int = 0) -> Iterator["Box"]:
        """The boxes in this box. A last one of no size ends a QuickTime list; less than a head is padding."""
        while at + 8 <= len(self._body):
            self._budget.spend()
            length, name, head = self.number(at), self.raw(at + 4, 4), 8
            if length == 1:
                length, head = self.number(at + 8, 8), 16
            elif length == 0:
                if name == bytes(4):
                    return
                length = len(self._body) - at
            if length < head or at + length > len(self._body):
                raise broken(f"box {name!r} does not fit into {self}")
            yield Box(name, self._body[at + head : at + length], self._budget)
            at += length

    def child(self, name: bytes) -> "Box":
        if (found := self.find(name)) is None:
            raise broken(f"{self} has no {name.decode('latin-1')}")
        return found

    def find(self, *path: bytes) -> "Box | None":
        """The first box of these names, one inside the other."""
        found: Box | None = self
        for name in path:
            if found is None:
                return None
            found = next((one for one in found.children() if one.name == name), None)
        return found


def load(file: BinaryIO, place: Place, most: int, budget: Budget) -> Box:
    """A whole box of the file, in memory."""
    if place.end - place.body > most:
        raise broken(f"box {place.name!r} is larger than any real one")
    file.seek(place.body)
    body = file.read(place.end - place.body)
    return Box(place.name, memoryview(body), budget)
