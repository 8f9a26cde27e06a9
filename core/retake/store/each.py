"""Many things to do, none of which may keep the others from being done."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog

from retake.store.connect import Unavailable
from retake.store.move import JobGone

log = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")


async def one_by_one(things: Iterable[T], act: Callable[[T], Awaitable[bool]]) -> int:
    """How many did something. One that fails keeps no other from its turn; when all had theirs, its error is raised.

    A job that is gone by then needs nothing. A database that does not answer ends it at once.
    """
    acted, failed = 0, None
    for thing in things:
        try:
            acted += await act(thing)
        except JobGone:
            continue
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  it is raised in the end
            log.warning("one of many failed", thing=str(thing), error=repr(error))
            failed = error
    if failed is not None:
        raise failed
    return acted
