"""A client of event streams, as a browser is one: it reads messages, and comes back where it was."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    kind: str
    id: int | None
    data: Any


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, path: str = "/api/events", last: object = None
) -> AsyncIterator[AsyncIterator[Told]]:
    """Heartbeats are told as messages of no kind."""
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield messages(answer)


async def messages(answer: httpx.Response) -> AsyncIterator[Told]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.lstrip()
        else:
            if "retry" not in fields:
                number = fields.get("id")
                data = json.loads(fields.get("data", "null"))
                yield Told(fields.get("event", ""), None if number is None else int(number), data)
            fields = {}


async def next_of(told: AsyncIterator[Told], *kinds: str) -> Told:
    """The next one of these kinds, or of any."""
    async for one in told:
        if not kinds or one.kind in kinds:
            return one
    raise AssertionError("the stream ended")
