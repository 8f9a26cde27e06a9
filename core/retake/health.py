"""The port beside the work: /livez, /readyz and /metrics of any process, on one small HTTP server of its own. A
process may add pages: JSON for other programs in the cluster, never behind the ingress.

/livez is answered by the event loop itself, so an answer is the proof. /readyz asks each named check, at most every
five seconds, and every second while one fails, and names those that are needed. The server reads one short request per
connection and closes it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog
from prometheus_client import generate_latest

from retake import __version__, metrics
from retake.store.migrate import shipped

log = structlog.stdlib.get_logger(__name__)

Check = Callable[[], Awaitable[None]]
"""Returns when the part works; raises when it does not."""

Look = Callable[[], Awaitable[None]]
"""Sees to it that the metrics are those of now; raises nothing."""

Page = Callable[[], Awaitable[Mapping[str, object]]]
"""What a page says now, to be sent as JSON; when it raises, the answer is 503."""

_KEPT, _KEPT_BAD = 5.0, 1.0
_PATIENCE = 3.0
_REASON = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class Health:
    """What this process depends on, asked seldom however often probes come."""

    def __init__(self, checks: Mapping[str, Check], needed: Collection[str] | None = None) -> None:
        """Without those `needed` it is of no use; without the others it only does less. Else all of them are."""
        self._checks = checks
        self._needed = checks.keys() if needed is None else needed
        self._stale = 0.0
        self._answer: dict[str, bool] = {}
        self._lock = asyncio.Lock()

    async def ready(self) -> dict[str, bool]:
        """The parts that are needed; it is ready when they all work."""
        return {name: works for name, works in (await self.parts()).items() if name in self._needed}

    async def parts(self) -> dict[str, bool]:
        """Part name -> does it work."""
        async with self._lock:
            if time.monotonic() >= self._stale:
                answers = await asyncio.gather(*(self._ask(name, check) for name, check in self._checks.items()))
                self._answer = dict(zip(self._checks, answers, strict=True))
                self._stale = time.monotonic() + (_KEPT if all(answers) else _KEPT_BAD)
            return self._answer

    async def _ask(self, name: str, check: Check) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                await check()
        except Exception as error:  # noqa: BLE001  whatever a check raises, the answer is "this part is down"
            log.warning("not ready", part=name, error=repr(error))
            metrics.READY.labels(name).set(0)
            return False
        metrics.READY.labels(name).set(1)
        return True


async def nowhere() -> None:
    return


async def serve(
    host: str, port: int, health: Health, pages: Mapping[str, Page] | None = None, look: Look = nowhere
) -> asyncio.Server:
    """Opens the port; the caller closes the server it gets."""
    metrics.BUILD.info({"version": __version__})
    metrics.SCHEMA_WANTED.set(shipped()[-1].version)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE * 2):
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode("latin-1")
                status, kind, body = await _respond(target, health, pages or {}, look)
                writer.write(
                    f"HTTP/1.1 {status} {_REASON[status]}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (
            TimeoutError,
            ConnectionError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            IndexError,
        ):
            log.debug("a probe did not finish its request")
        finally:
            writer.close()

    return await asyncio.start_server(answer, host, port, limit=8192)


async def _respond(target: str, health: Health, pages: Mapping[str, Page], look: Look) -> tuple[int, str, bytes]:
    match target.partition("?")[0]:
        case "/livez":
            return 200, "text/plain", b"ok\n"
        case "/readyz":
            parts = await health.ready()
            return (
                (200 if all(parts.values()) else 503),
                "application/json",
                json.dumps({"parts": parts}).encode(),
            )
        case "/metrics":
            await asyncio.gather(health.parts(), look())
            return 200, "text/plain; version=0.0.4; charset=utf-8", generate_latest(metrics.REGISTRY)
        case path if path in pages:
            return await _page(path, pages[path])
        case _:
            return 404, "text/plain", b"not found\n"


async def _page(path: str, page: Page) -> tuple[int, str, bytes]:
    try:
        async with asyncio.timeout(_PATIENCE):
            return 200, "application/json", json.dumps(await page()).encode()
    except Exception as error:  # noqa: BLE001  whatever it raises, who asks learns that there is no answer now
        log.warning("a page has no answer", page=path, error=repr(error))
        return 503, "application/json", b'{"error": "There is no answer now; ask again later."}'
