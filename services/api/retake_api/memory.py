"""What is freed goes back to the system: the largest blocks at once, the rest as far as it is not soon needed again.

By itself glibc learns from the first large block that is freed, the hash of a password, to keep all later ones of that
size; and gives each thread a heap of its own.
"""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE = 16 * 2**20  # less than a hash needs, more than any buffer
_HEAPS = 2


def give_back_what_is_freed() -> None:
    """Nothing happens where the C library knows no such thing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _LARGE)
        mallopt(_M_ARENA_MAX, _HEAPS)
