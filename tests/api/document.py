"""The OpenAPI document as tests go through it: every operation, and requests made of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

Json = dict[str, Any]

COMMITTED = Path(__file__).resolve().parents[2] / "docs/openapi.json"


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    told: Json

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def gated(self) -> bool:
        return "security" in self.told

    @property
    def names(self) -> list[str]:
        """Of its path parameters."""
        return [one["name"] for one in self.told.get("parameters", []) if one["in"] == "path"]

    @property
    def body(self) -> Any:
        """The example of its JSON body; bytes when it takes these; None when it takes nothing."""
        content = self.told.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            return content["application/json"]["example"]
        return b"bytes" if content else None

    @property
    def headers(self) -> dict[str, str]:
        """Those that have an example, and what sort of bytes it takes."""
        named = [one for one in self.told.get("parameters", []) if one["in"] == "header"]
        found = {one["name"]: one["schema"]["examples"][0] for one in named if "examples" in one["schema"]}
        if isinstance(self.body, bytes):
            found["Content-Type"] = next(iter(self.told["requestBody"]["content"]))
        return found

    def address(self, values: Mapping[str, str]) -> str:
        return self.path.format(**values)

    async def answer(
        self, client: httpx.AsyncClient, values: Mapping[str, str], other: str | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers, but for what differs each time. Of a stream, its first piece. `other` stands for
        each id in the example of the body."""
        body = self.body if other is None else replaced(self.body, other)
        sent = {} if body is None else {"content": body} if isinstance(body, bytes) else {"json": body}
        request = client.build_request(self.method, self.address(values), headers=self.headers, **sent)
        response = await client.send(request, stream=True)
        try:
            if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                content = await anext(response.aiter_raw())
            else:
                content = await response.aread()
        finally:
            await response.aclose()
        told = {name: value for name, value in response.headers.items() if name not in ("date", "x-request-id")}
        return response.status_code, content, told


def operations(described: Json | None = None) -> Iterator[Operation]:
    """Of the committed document, if no other is given."""
    described = described or json.loads(COMMITTED.read_text(encoding="utf-8"))
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            yield Operation(method.upper(), path, told)


def replaced(value: Any, other: str) -> Any:
    """With another id where there are some."""
    if isinstance(value, dict):
        return {key: replaced(one, other) for key, one in value.items()}
    if isinstance(value, list):
        return [replaced(one, other) for one in value]
    return other if is_id(value) else value


def has_ids(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(has_ids(one) for one in (value.values() if isinstance(value, dict) else value))
    return is_id(value)


def is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
