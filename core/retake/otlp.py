"""Spans as OpenTelemetry has them, sent by OTLP over HTTP (protobuf). tracing.py is how everybody else knows of them.

Work never waits for them: they lie in a queue that is bounded, a thread of its own sends them, and when nobody takes
them they are dropped; one warning tells when that begins, and one line when it is over. Sampling, resource attributes
and the queue follow OpenTelemetry's own variables.
"""

import logging
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import structlog
from opentelemetry import context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.re import parse_env_headers

from retake import __version__

log = structlog.stdlib.get_logger(__name__)

_GOODBYE = 0.5
_W3C = TraceContextTextMapPropagator()
_PLAIN = (bool, int, float, str)


class Traces:
    """A retake.tracing.Tracer."""

    def __init__(self, component: str, endpoint: str, headers: str | None) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # Telling tells, once, instead of at each try
        exporter = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces",
            headers=None if headers is None else parse_env_headers(headers, liberal=True),
        )
        resource = Resource.create({"service.name": f"retake-{component}", "service.version": __version__})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(Telling(exporter)))
        self._tracer = self._provider.get_tracer("retake", __version__)

    def span(self, name: str, parent: str | None, links: Sequence[str], kind: str, about: dict[str, Any]) -> "_Open":
        here, linked = None, [found for one in links if (found := _context_of(one)) is not None]
        if parent is not None and (here := _context_of(parent)) is not None:
            linked.append(context.get_current())
        ours = _span_in(here).trace_id
        others = [Link(other) for one in linked if (other := _span_in(one)).is_valid and other.trace_id != ours]
        return _Open(self._tracer.start_span(name, here, SpanKind[kind.upper()], _attributes(about), others))

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent")

    def trace(self) -> str | None:
        here = _span_in(None)
        return f"{here.trace_id:032x}" if here.is_valid else None

    def flush(self) -> None:
        """Returns when all that is over was sent, or was tried to."""
        self._provider.force_flush()

    def close(self) -> None:
        """In a thread, since it may hang for as long as a request may."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        ending.join(_GOODBYE)


class _Open:
    """A retake.tracing.Span, and the `with` that it is open in."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        self._token = context.attach(set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """What an error says may hold anything; its name is enough, the log has the rest."""
        if kind is not None:
            self.fail(kind.__name__)
        context.detach(self._token)
        self._span.end()

    def tell(self, **about: Any) -> None:
        self._span.set_attributes(_attributes(about))

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, why: str) -> None:
        self._span.set_attribute("error.type", why)
        self._span.set_status(StatusCode.ERROR)


def _context_of(traceparent: str) -> context.Context | None:
    """None for what is no traceparent."""
    found = _W3C.extract({"traceparent": traceparent}, context.Context())
    return found if _span_in(found).is_valid else None


def _span_in(where: context.Context | None) -> SpanContext:
    """None is here."""
    return get_current_span(where).get_span_context()


def _attributes(about: dict[str, Any]) -> dict[str, Any]:
    return {
        name if "." in name else f"retake.{name}": value if isinstance(value, (*_PLAIN, list)) else str(value)
        for name, value in about.items()
        if value is not None
    }


class Telling(SpanExporter):
    """Tells the log when traces begin to be lost, and when they arrive again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                log.info("traces arrive again", lost=self._lost)
            self._lost = 0
        else:
            if not self._lost:
                log.warning("traces do not arrive; until they do, they are lost")
            self._lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()
