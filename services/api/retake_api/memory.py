"""What is freed goes back to the system at once: large blocks are mapped one by one, and threads share two heaps.

By itself glibc learns from the first large block that is freed, such as a password's hash, to keep all later ones of
that size; and gives each thread a heap that never shrinks.
"""

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE = 128 * 2**10


def give_back_what_is_freed() -> None:
    """Nothing happens where the C library knows no such thing (musl gives back anyway)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_ARENA_MAX, 2)
