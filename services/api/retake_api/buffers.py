"""How much of all uploads together may lie in memory on its way to storage.

Each upload always has its floor, so that many slow ones wait for nobody; what it wants beyond that must be free in one
budget, which the floors are part of. When that is used up, chunks become smaller, not fewer.
"""

from retake.blobs.connect import CHUNK

FLOOR = 128 * 2**10


class Buffers:
    def __init__(self, total: int) -> None:
        self._free = total

    def open(self) -> None:
        """One more upload takes its floor, whatever is free."""
        self._free -= FLOOR

    def grow(self, size: int) -> int:
        """To what size a buffer of `size` bytes may grow."""
        wanted = min(max(size, FLOOR), CHUNK - size)
        if wanted <= 0 or wanted > self._free:
            return size
        self._free -= wanted
        return size + wanted

    def second(self) -> bool:
        """May an upload fill a second buffer while its first is put? Then that takes a floor, too."""
        if self._free < FLOOR:
            return False
        self._free -= FLOOR
        return True

    def give_back(self, size: int) -> None:
        self._free += size
