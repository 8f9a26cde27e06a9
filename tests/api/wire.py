"""What goes over the wire: clips, and requests no client library would send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

BOUNDARY = "b0undary"
PASSWORD = "ein Paßwort mit 🔑"
MIB = 2**20


def clip(size: int = 5000, seed: int = 1) -> bytes:
    """Begins like an MP4 file."""
    head = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"
    return (
        head + bytes((seed * 31 + n * 7) % 251 for n in range(min(size, 4096) - len(head))) + bytes(max(0, size - 4096))
    )


def part(field: str, data: bytes, filename: str | None = None, more: str = "") -> bytes:
    name = "" if filename is None else f'; filename="{filename}"'
    return (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{name}{more}\r\n\r\n'.encode() + data + b"\r\n"
    )


def whole(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def head(token: str, length: int | None, **more: str) -> bytes:
    lines = [
        "POST /api/jobs HTTP/1.1",
        "Host: test",
        f"Authorization: Bearer {token}",
        f"Content-Type: {TYPE['Content-Type']}",
    ]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answer(reader: asyncio.StreamReader, within: float = 10) -> tuple[int, str]:
    """Status, and all that came until the server closed."""
    async with asyncio.timeout(within):
        came = await reader.read()
    return int(came.split(b" ", 2)[1]), came.decode()
