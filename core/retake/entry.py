"""How every process begins and ends: settings or all complaints about them, logs, the work, an exit code."""

import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn, Protocol, TypeVar

from retake import logs, tracing
from retake.settings import Observe, SettingsError, read_all


class Observed(Protocol):
    @property
    def observe(self) -> Observe: ...


S = TypeVar("S", bound=Observed)


def end_when_told() -> None:
    """SIGTERM ends this process, wherever it is, until something that ends it in order takes the signal over. In a
    container it would else be lost: the kernel does nothing by itself to a process that is the first."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


def enter(component: str, settings: type[S], work: Callable[[S], object], *, ends: tuple[type[Exception], ...]) -> int:
    """0 when the work is done, 2 when its settings make no sense, 1 when it ended in one of the errors of its world."""
    end_when_told()
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
