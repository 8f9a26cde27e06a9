"""Numbers that look random and are not: each is the SHA-256 of what it is drawn for.

Python's own generator may change between releases, and the order of its calls would matter. Here every number has a
name, and the same names give the same numbers on any machine, for ever.
"""

import hashlib


class Draws:
    def __init__(self, *names: object) -> None:
        self._names = "\n".join(str(name) for name in names)

    def unit(self, *names: object) -> float:
        """From 0 on, below 1."""
        text = "\n".join([self._names, *(str(name) for name in names)])
        return (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 11) / 2**53

    def whole(self, below: int, *names: object) -> int:
        return int(self.unit(*names) * below)

    def shuffled(self, count: int, *names: object) -> list[int]:
        """The numbers from 0 on, below `count`, in some order."""
        order = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.whole(last + 1, *names, last)
            order[last], order[other] = order[other], order[last]
        return order
