"""Spans as they leave a process, and what it costs when nobody takes them, or nobody wants any."""

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from collector import Collector, collecting
from retake import tracing
from retake.otlp import Traces

TRACE, ABOVE = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
JOB = UUID("8f14e45f-ceea-467f-a0e6-6a1c0f0d2a1b")
MANY = 5_000


@contextmanager
def sent_to(collector: Collector) -> Iterator[Traces]:
    traces = Traces("worker", collector.url, None)
    yield traces
    traces.close()


def test_spans_nest_carry_ids_and_cross_to_others_as_w3c_says() -> None:
    with collecting() as collector, sent_to(collector) as traces:
        with traces.span("render", f"00-{TRACE}-{ABOVE}-01", (), "consumer", {"job": JOB, "part": 7, "worker": None}):
            crossing, trace = traces.traceparent(), traces.trace()
            with traces.span("store", None, (), "internal", {"takes": [1, 2]}) as span:
                span.tell(outcome="done", **{"http.route": "/x"})
        outside = traces.traceparent(), traces.trace()

    store, render = collector.spans
    assert (render.name, render.trace, render.parent, render.service) == ("render", TRACE, ABOVE, "retake-worker")
    assert render.about == {"retake.job": str(JOB), "retake.part": 7}
    assert (store.parent, store.trace) == (render.id, TRACE)
    assert store.about == {"retake.takes": [1, 2], "retake.outcome": "done", "http.route": "/x"}
    assert (crossing, trace) == (f"00-{TRACE}-{render.id}-01", TRACE)
    assert outside == (None, None)


@pytest.mark.parametrize(
    "forged",
    ["", "x", f"00-{TRACE}-{ABOVE}", f"00-{'0' * 32}-{ABOVE}-01", f"ff-{TRACE}-{ABOVE}-01",
     f"00-{TRACE}-{ABOVE}-01" * 99, f"00-{TRACE.upper()}-{ABOVE}-01", "\ud800"],
)  # fmt: skip
def test_what_is_no_traceparent_is_passed_over(forged: str) -> None:
    with collecting() as collector, sent_to(collector) as traces, traces.span("GET", forged, (), "server", {}):
        pass

    (span,) = collector.spans
    assert span.parent == ""
    assert span.trace != TRACE


def test_a_caller_who_does_not_sample_is_followed_also_by_others() -> None:
    with (
        collecting() as collector,
        sent_to(collector) as traces,
        traces.span("GET", f"00-{TRACE}-{ABOVE}-00", (), "server", {}),
    ):
        crossing = traces.traceparent()

    assert crossing is not None
    assert crossing.startswith(f"00-{TRACE}-")
    assert crossing.endswith("-00")
    assert collector.spans == []


def test_of_an_error_the_span_has_the_name_and_not_the_words() -> None:
    with (
        collecting() as collector,
        sent_to(collector) as traces,
        pytest.raises(ValueError, match="s3cret"),
        traces.span("commit", None, (), "internal", {}),
    ):
        raise ValueError("s3cret")

    (span,) = collector.spans
    assert span.failed
    assert span.about == {"error.type": "ValueError"}
    assert b"s3cret" not in b"".join(collector.bodies)


def test_a_span_is_linked_to_all_other_traces_that_it_goes_on_with() -> None:
    others = [f"00-{n:032x}-{n:016x}-01" for n in (1, 2)]
    with (
        collecting() as collector,
        sent_to(collector) as traces,
        traces.span("accept", f"00-{TRACE}-{ABOVE}-01", [*others, f"00-{TRACE}-{ABOVE}-01", "x"], "internal", {}),
    ):
        pass

    (accept,) = collector.spans
    assert (accept.parent, accept.links) == (ABOVE, [f"{n:016x}" for n in (1, 2)])


def test_below_another_trace_it_is_linked_to_the_span_that_was_open() -> None:
    with (
        collecting() as collector,
        sent_to(collector) as traces,
        traces.span("GET", None, (), "server", {}),
        traces.span("download", f"00-{TRACE}-{ABOVE}-01", (), "internal", {}),
    ):
        pass

    download, request = collector.spans
    assert (download.trace, download.parent, download.links) == (TRACE, ABOVE, [request.id])
    assert request.trace != TRACE


def test_a_receiver_that_hangs_costs_no_time_no_memory_and_no_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1000")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "500")
    with collecting() as collector:
        collector.hangs.set()
        traces = Traces("worker", collector.url, None)

        began = time.process_time()
        for n in range(MANY):
            with traces.span("store", None, (), "internal", {"take": n}):
                pass
        took = time.process_time() - began
        kept = sum(type(one).__name__ == "_Span" for one in gc.get_objects())
        assert collector.hung.wait(10)
        leaving = time.monotonic()
        traces.close()
        left = time.monotonic() - leaving
        collector.wake()
        for thread in threading.enumerate():
            if thread.name.startswith("OtelBatch"):
                thread.join(10)

    assert took < MANY * 1e-3
    assert kept <= 1500 + 10
    assert left < 2


def test_that_nobody_takes_them_is_said_once_and_that_they_arrive_again_too(caplog: pytest.LogCaptureFixture) -> None:
    with collecting() as collector, sent_to(collector) as traces, capture_logs() as lines:
        for collector.status in (400, 400, 400, 200, 200):
            with traces.span("store", None, (), "internal", {}):
                pass
            traces.flush()

    assert [(line["event"], line.get("lost")) for line in lines] == [
        ("traces do not arrive; until they do, they are lost", None),
        ("traces arrive again", 3),
    ]
    assert caplog.records == []


OFF = """
import sys
from retake import logs, tracing
import {module}.__main__
tracing.configure("some", None, None)
logs.configure("some", "info")
with tracing.span("a", parent="b", job=1) as span:
    span.tell(outcome="done")
assert (tracing.on(), tracing.traceparent(), tracing.trace()) == (False, None, None)
print(*[name for name in sys.modules if name.startswith("opentelemetry")])
"""


@pytest.mark.parametrize("module", ["retake_worker", "retake_janitor", "retake_api"])
def test_while_off_nothing_of_opentelemetry_is_imported(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", OFF.format(module=module)], capture_output=True, text=True, check=True)

    imported = set(done.stdout.split())
    if module == "retake_api":  # FastAPI itself imports the interfaces, without anything behind them
        imported = {name for name in imported if name.split(".")[1:2] in (["sdk"], ["exporter"], ["proto"])}
    assert imported == set()


def test_while_off_a_span_is_one_and_the_same_nothing() -> None:
    assert tracing.span("a", job=1) is tracing.span("b", parent="c")
