"""A small HTTP server that speaks the pods API of Kubernetes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class PodsApi:
    pods: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    page: int = 500
    garbled: bool = False
    asked: list[str] = field(default_factory=list)
    host: str = ""

    def has(self, name: str, **status: Any) -> None:
        self.pods.append({"metadata": {"name": name}, "status": {"phase": "Running", **status}})

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.split(b" ", 2)[1].decode()
        self.asked.append(target)
        body = b"<html>" if self.garbled else json.dumps(self._body(target)).encode()
        writer.write(
            f"HTTP/1.1 {self.status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    def _body(self, target: str) -> dict[str, Any]:
        if self.status != 200:
            return {"kind": "Status", "status": "Failure", "message": "pods is forbidden", "code": self.status}
        start = int(parse_qs(urlsplit(target).query).get("continue", ["0"])[0])
        end = start + self.page
        more = {"continue": str(end)} if end < len(self.pods) else {}
        return {"kind": "PodList", "apiVersion": "v1", "metadata": more, "items": self.pods[start:end]}


@asynccontextmanager
async def pods_api() -> AsyncIterator[PodsApi]:
    made = PodsApi()
    async with await asyncio.start_server(made.answer, "127.0.0.1", 0) as server:
        made.host = "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())
        yield made


def ended(reason: str, at: str, *, before: bool = False) -> dict[str, Any]:
    """The status of a container that ended so; `before` it was started again."""
    state = {"terminated": {"reason": reason, "exitCode": 137, "finishedAt": at}}
    container = {"state": {"running": {"startedAt": at}}, "lastState": state} if before else {"state": state}
    return {"containerStatuses": [{"name": "worker", **container}]}
