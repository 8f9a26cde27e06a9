"""Calls of tus, as plain as they are."""

import base64
from typing import Any

import httpx

from api.conftest import rows
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {**TUS, "Content-Type": "application/offset+octet-stream"}


def named(name: str | bytes, key: str = "filename") -> str:
    return f"{key} {base64.b64encode(name.encode() if isinstance(name, str) else name).decode()}".rstrip()


async def create(client: httpx.AsyncClient, length: int, metadata: str = named("a.mp4"), **more: Any) -> httpx.Response:
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata, **more.pop("headers", {})}
    return await client.post("/api/uploads", headers=headers, **more)


async def begun(client: httpx.AsyncClient, length: int, **more: Any) -> str:
    """Where it is."""
    answer = await create(client, length, **more)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def patch(client: httpx.AsyncClient, where: str, offset: int, data: Any, **headers: str) -> httpx.Response:
    return await client.patch(where, content=data, headers={**BYTES, "Upload-Offset": str(offset), **headers})


def patch_head(where: str, token: str, at: int, length: int) -> bytes:
    lines = [f"PATCH {where} HTTP/1.1", "Host: test", f"Authorization: Bearer {token}", f"Upload-Offset: {at}"]
    lines += [f"Content-Length: {length}", *(f"{name}: {value}" for name, value in BYTES.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def head(client: httpx.AsyncClient, where: str) -> httpx.Response:
    return await client.head(where, headers=TUS)


async def offset(client: httpx.AsyncClient, where: str) -> int:
    return int((await head(client, where)).headers["Upload-Offset"])


async def kept(database: Database, blobs: Blobs, where: str) -> bytes:
    """The bytes that count, as a worker would fetch them."""
    chunks = await rows(
        database,
        "SELECT key, start, size FROM chunk WHERE source_id = %s AND state = 'done' ORDER BY n",
        where.rpartition("/")[2],
    )
    data = b""
    for chunk in chunks:
        assert chunk["start"] == len(data)
        data += await blobs.get(chunk["key"])
    return data


async def swept(database: Database, blobs: Blobs) -> bool:
    """Nothing lies in the store but the chunks that count."""
    there = sorted([blob.key async for blob in blobs.listing()])
    done = await rows(
        database,
        "SELECT key FROM chunk c JOIN source s ON s.id = c.source_id WHERE c.state = 'done' AND s.state <> 'gone'",
    )
    assert there == sorted(row["key"] for row in done)
    return True


async def used(client: httpx.AsyncClient, where: str) -> str:
    answer = await client.post("/api/jobs", json={"uploads": [where.rpartition("/")[2]]})
    assert answer.status_code == 202, answer.text
    job: str = answer.json()["jobId"]
    return job
