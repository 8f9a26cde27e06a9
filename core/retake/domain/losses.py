"""Why a worker went away with work in hand, and what that says to whoever waits for the work."""

from collections.abc import Collection
from enum import StrEnum

from retake.domain.errors import OUT_OF_MEMORY, WORKER_LOST, Failure


class Because(StrEnum):
    OUT_OF_MEMORY = "out_of_memory"  # the kernel ended it, as it used more than it may
    EVICTED = "evicted"  # its machine was short of memory or disk, and put it out


def blamed(reasons: Collection[Because]) -> Failure:
    """What to say of work that was given up after such losses."""
    if Because.OUT_OF_MEMORY in reasons:
        return OUT_OF_MEMORY
    if Because.EVICTED in reasons:
        return WORKER_LOST.saying(
            "The machines that tried this ran short of memory or disk again and again; trying later may help."
        )
    return WORKER_LOST
