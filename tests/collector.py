"""Where traces go in tests: an OTLP/HTTP receiver that keeps what it is sent, and can hang like one that is dead."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

ROOT = ""


@dataclass(frozen=True)
class Span:
    id: str
    parent: str
    trace: str
    name: str
    kind: int
    service: str
    about: dict[str, Any]
    links: list[str]
    failed: bool


@dataclass
class Collector:
    url: str = ""
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hangs: threading.Event = field(default_factory=threading.Event)
    hung: threading.Event = field(default_factory=threading.Event)
    """Somebody waits for it."""
    over: threading.Event = field(default_factory=threading.Event)
    status: int = 200

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        assert path == "/v1/traces"
        self.bodies.append(body)
        self.headers.append(headers)
        self.spans += spans_of(ExportTraceServiceRequest.FromString(body))

    def wake(self) -> None:
        self.hangs.clear()
        self.over.set()

    def tree(self, trace: str) -> dict[str, Span]:
        return {span.id: span for span in self.spans if span.trace == trace}


def spans_of(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        told = {pair.key: pair.value for pair in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex() or ROOT,
                    trace=span.trace_id.hex(),
                    name=span.name,
                    kind=span.kind,
                    service=told["service.name"].string_value,
                    about={pair.key: plain(pair.value) for pair in span.attributes},
                    links=[link.span_id.hex() for link in span.links],
                    failed=span.status.code == span.status.STATUS_CODE_ERROR,
                )


def plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain(one) for one in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.hangs.is_set():
                collector.hung.set()
                collector.over.wait()
                return
            if collector.status == 200:
                collector.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        collector.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
