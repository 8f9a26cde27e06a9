"""How every process begins and ends: settings or all complaints about them, logs, the work, an exit code."""

import sys
from collections.abc import Callable
from typing import Protocol, TypeVar

from retake import logs, tracing
from retake.settings import Observe, SettingsError, read_all


class Observed(Protocol):
    @property
    def observe(self) -> Observe: ...


S = TypeVar("S", bound=Observed)


def enter(component: str, settings: type[S], work: Callable[[S], object], *, ends: tuple[type[Exception], ...]) -> int:
    """0 when the work is done, 2 when its settings make no sense, 1 when it ended in one of the errors of its world."""
    try:
        told = read_all(settings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    tracing.configure(component, told.observe.traces, told.observe.trace_headers)
    logs.configure(component, told.observe.log_level)
    try:
        work(told)
    except ends as error:
        logs.logger(f"retake_{component}").error("ended", error=repr(error))
        return 1
    finally:
        tracing.close()
    return 0
