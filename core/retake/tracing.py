"""Traces: what became of a job, as one tree of spans across all processes. Off unless an endpoint is set.

    with tracing.span("claim", parent=message.traceparent, job=job, part=part) as span:
        ...
        span.tell(outcome="refused")

The tree's root is the request that made the job, or what its `traceparent` names; the job keeps the context in its row,
since messages may be lost: whatever happens to the job later joins there, tried again or announced anew. Below that,
spans nest by the context of the task they are opened in.

While off, a span is one call that does nothing, and OpenTelemetry is not imported (otlp.py is the only one that does).
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self


class Span(Protocol):
    def tell(self, **about: Any) -> None:
        """Attributes; names without a dot are retake's own."""

    def rename(self, name: str, /) -> None:
        """Its name is known only now."""

    def fail(self, why: str, /) -> None:
        """It did not do what it was for; so does an exception that leaves it."""


class Tracer(Protocol):
    def span(
        self, name: str, parent: str | None, links: Sequence[str], kind: str, about: dict[str, Any]
    ) -> AbstractContextManager[Span]: ...

    def traceparent(self) -> str | None: ...

    def trace(self) -> str | None: ...

    def close(self) -> None: ...


class _Nothing:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        return

    def tell(self, **_about: Any) -> None:
        return

    def rename(self, _name: str, /) -> None:
        return

    def fail(self, _why: str, /) -> None:
        return


_NOTHING = _Nothing()
_tracer: Tracer | None = None


def configure(component: str, endpoint: str | None, headers: str | None) -> None:
    """Called once, by `entry`, before anything else is made."""
    global _tracer  # noqa: PLW0603  as for logs and metrics: one for the process, chosen at its start
    if endpoint is not None:
        from retake.otlp import Traces  # noqa: PLC0415  only when it is wanted

        _tracer = Traces(component, endpoint, headers)


def close() -> None:
    """What was not sent yet is sent, for half a second at most."""
    global _tracer  # noqa: PLW0603
    if _tracer is not None:
        _tracer.close()
        _tracer = None


def on() -> bool:
    return _tracer is not None


def span(
    name: str, *, parent: str | None = None, links: Sequence[str] = (), kind: str = "internal", **about: Any
) -> AbstractContextManager[Span]:
    """A step. Without a parent it is below the span that is open here. With one it is below that, and linked to the one
    that is open here, if that is in another trace; so it is to `links`."""
    return _NOTHING if _tracer is None else _tracer.span(name, parent, links, kind, about)


def traceparent() -> str | None:
    """Of the span that is open here, as W3C writes it; what crosses to other processes."""
    return None if _tracer is None else _tracer.traceparent()


def trace() -> str | None:
    """The id of the trace that is open here, for logs."""
    return None if _tracer is None else _tracer.trace()
