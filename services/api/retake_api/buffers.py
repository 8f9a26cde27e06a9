"""How much of all uploads together may lie in memory on its way to storage.

Each upload always has a floor, so that many slow ones wait for nobody; what it fills beyond that comes out of one
budget. When that is used up, chunks become smaller, not fewer.
"""

from retake.blobs.connect import CHUNK

FLOOR = 256 * 2**10


class Buffers:
    def __init__(self, total: int) -> None:
        self._free = total

    def grow(self, size: int) -> int:
        """To what size a buffer of `size` bytes may grow."""
        wanted = min(max(size, FLOOR), CHUNK - size)
        if wanted <= 0 or wanted > self._free:
            return size
        self._free -= wanted
        return size + wanted

    def give_back(self, size: int) -> None:
        """A buffer of `size` bytes is not needed any more."""
        self._free += size - FLOOR
