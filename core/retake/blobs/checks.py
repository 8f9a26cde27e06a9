"""What retake needs of an S3 endpoint, check by check; conformance.py runs them.

Each check is a function whose name is the sentence it proves. All go through the adapter the product uses, and know of
the endpoint only what that adapter shows, but for the two that break a transfer off on purpose.
"""

import asyncio
import hashlib
import io
import os
import secrets
import socket
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from minio import Minio

from retake.blobs import keys
from retake.blobs.bucket import PIECE, Blobs, open_blobs
from retake.blobs.connect import CHUNK, Line, send
from retake.blobs.errors import BlobError, BlobMissing, BlobRefused
from retake.settings import Bucket


class Failed(Exception):
    """The endpoint does not do what the check says."""


@dataclass(frozen=True)
class Endpoint:
    """Where the checks work: nothing else is under the prefix of these settings."""

    settings: Bucket
    blobs: Blobs
    scratch: Path


Check = Callable[[Endpoint], Awaitable[None]]


def _expect(fact: bool, otherwise: str) -> None:  # noqa: FBT001  it reads as a sentence
    if not fact:
        raise Failed(otherwise)


async def _expect_error(kind: type[BlobError], asked: Awaitable[object], what: str) -> None:
    try:
        await asked
    except kind:
        return
    except BlobError as error:
        raise Failed(f"{what}: {kind.kind} was due, not {error.kind}: {error}") from error
    raise Failed(f"{what}: {kind.kind} was due, and it went well")


def _key(n: int = 0) -> str:
    return keys.SourceChunk(str(uuid.uuid4()), n, secrets.token_hex(8)).key


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def _all_under(blobs: Blobs, prefix: str) -> list[str]:
    return [blob.key async for blob in blobs.listing(prefix)]


async def the_bucket_is_there(endpoint: Endpoint) -> None:
    await endpoint.blobs.check()


async def a_wrong_secret_key_is_refused(endpoint: Endpoint) -> None:
    wrong = replace(endpoint.settings, secret_key=secrets.token_hex(16))
    await _expect_error(BlobRefused, _open(wrong), "opened with a wrong secret key")


async def an_unknown_access_key_is_refused(endpoint: Endpoint) -> None:
    unknown = replace(endpoint.settings, access_key=secrets.token_hex(10))
    await _expect_error(BlobRefused, _open(unknown), "opened with an unknown access key")


async def _open(settings: Bucket) -> None:
    async with open_blobs(settings, patience=0):
        pass


async def an_empty_object_comes_back_empty(endpoint: Endpoint) -> None:
    await _there_and_back(endpoint.blobs, b"")


async def one_byte_comes_back(endpoint: Endpoint) -> None:
    await _there_and_back(endpoint.blobs, b"\n")


async def a_chunk_of_8_mib_comes_back_bit_for_bit(endpoint: Endpoint) -> None:
    await _there_and_back(endpoint.blobs, os.urandom(CHUNK))


async def _there_and_back(blobs: Blobs, data: bytes) -> None:
    key = _key()
    await blobs.put(key, data)
    for _ in range(2):
        _expect(await blobs.get(key) == data, "other bytes came back")
    _expect(await blobs.size(key) == len(data), f"its size is {await blobs.size(key)}, not {len(data)}")


async def a_long_file_comes_back_bit_for_bit_in_pieces(endpoint: Endpoint) -> None:
    data, key = os.urandom(2 * CHUNK + 12_345), _key()
    file = endpoint.scratch / "long"
    file.write_bytes(data)

    sent = await endpoint.blobs.put_file(key, file)

    came, digest = [], hashlib.sha256()
    async with endpoint.blobs.stream(key) as pieces:
        async for piece in pieces:
            came.append(len(piece))
            digest.update(piece)
    _expect(sent == sum(came) == await endpoint.blobs.size(key), f"{sent} bytes went and {sum(came)} came back")
    _expect(digest.hexdigest() == _digest(data), "other bytes came back")
    _expect(max(came) <= PIECE, f"a piece has {max(came)} bytes")


async def an_empty_file_and_a_short_one_come_back(endpoint: Endpoint) -> None:
    for data in (b"", b"short"):
        file, key = endpoint.scratch / "short", _key()
        file.write_bytes(data)
        await endpoint.blobs.put_file(key, file)
        _expect(await endpoint.blobs.get(key) == data, "other bytes came back")


async def a_range_gives_exactly_its_bytes(endpoint: Endpoint) -> None:
    data, key = os.urandom(PIECE + 1000), _key()
    size = len(data)
    await endpoint.blobs.put(key, data)
    for offset, length in ((0, 1), (0, 10), (500, 10), (size - 10, 10), (size - 1, 1), (7, size - 7), (0, size)):
        part = await endpoint.blobs.get(key, offset, length)
        _expect(part == data[offset : offset + length], f"bytes {offset} to {offset + length - 1} are others")
    _expect(await endpoint.blobs.get(key, 500) == data[500:], "the bytes from 500 on are others")


async def a_range_past_the_end_is_missing(endpoint: Endpoint) -> None:
    key = _key()
    await endpoint.blobs.put(key, b"0123456789")
    for offset, length in ((10, 1), (5, 6), (50, 1), (0, 11)):
        await _expect_error(BlobMissing, endpoint.blobs.get(key, offset, length), f"{length} bytes from {offset} of 10")


async def what_is_not_there_is_missing(endpoint: Endpoint) -> None:
    there = _key()
    await endpoint.blobs.put(there, b"x")
    for key in (_key(), there[:-1], f"{there}0"):
        await _expect_error(BlobMissing, endpoint.blobs.size(key), "its size")
        await _expect_error(BlobMissing, endpoint.blobs.get(key), "its bytes")


async def a_listing_keeps_to_its_prefix(endpoint: Endpoint) -> None:
    job, video = str(uuid.uuid4()), str(uuid.uuid4())
    result, thumb = keys.Result(job, video, 1, 10).key, keys.ResultThumb(job, video, 1, 10).key
    other = keys.VideoThumb(job, video, 1).key
    beside = [f"results/{job}-/1", f"results/{job}0/1"]  # what a listing by folder name alone would mix in
    for key in (result, thumb, other, *beside):
        await endpoint.blobs.put(key, b"x")

    found = await _all_under(endpoint.blobs, f"results/{job}/")

    _expect(found == [result, thumb], f"{[result, thumb]} were due, not {found}")
    _expect(await _all_under(endpoint.blobs, f"results/{uuid.uuid4()}/") == [], "an unused prefix lists something")


async def a_listing_goes_on_past_a_thousand_in_order(endpoint: Endpoint) -> None:
    source = str(uuid.uuid4())
    wanted = [keys.SourceChunk(source, n, secrets.token_hex(4)).key for n in range(1010)]
    await asyncio.gather(*(endpoint.blobs.put(key, b"x") for key in wanted))

    found = await _all_under(endpoint.blobs, keys.of_source(source))

    _expect(found == wanted, f"{len(wanted)} keys were due, {len(found)} came, {len(set(wanted) & set(found))} of them")
    await endpoint.blobs.delete_many(wanted)
    _expect(await _all_under(endpoint.blobs, keys.of_source(source)) == [], "some were not deleted")


async def what_was_written_or_deleted_shows_at_once(endpoint: Endpoint) -> None:
    source = str(uuid.uuid4())
    for n in range(10):
        key = keys.SourceChunk(source, n, secrets.token_hex(4)).key
        await endpoint.blobs.put(key, b"x")
        _expect(await _all_under(endpoint.blobs, keys.of_source(source)) == [key], "a new object is not listed")
        await endpoint.blobs.delete(key)
        _expect(await _all_under(endpoint.blobs, keys.of_source(source)) == [], "a deleted object is listed")
        await _expect_error(BlobMissing, endpoint.blobs.get(key), "read after it was deleted")


async def deleting_what_is_not_there_is_fine(endpoint: Endpoint) -> None:
    there = _key()
    await endpoint.blobs.put(there, b"x")
    await endpoint.blobs.delete(_key())
    await endpoint.blobs.delete_many([_key(), there, _key()])
    await endpoint.blobs.delete_many([there])
    await endpoint.blobs.delete_many([])
    await _expect_error(BlobMissing, endpoint.blobs.size(there), "the one that was there, after its deletion")


async def different_keys_can_be_written_at_once(endpoint: Endpoint) -> None:
    written = {_key(n): os.urandom(PIECE) for n in range(16)}

    await asyncio.gather(*(endpoint.blobs.put(key, data) for key, data in written.items()))

    read = await asyncio.gather(*(endpoint.blobs.get(key) for key in written))
    _expect(read == list(written.values()), "some came back as others")


async def a_put_that_breaks_off_leaves_nothing(endpoint: Endpoint) -> None:
    key, settings = _key(), endpoint.settings
    line = Line(settings, "conformance", threads=1, connect=5, read=30, retries=0)
    try:
        url = line.client.get_presigned_url("PUT", settings.name, settings.prefix + key)
        status = await line.ask(key, lambda _client: _put_half(url))
    finally:
        line.close()

    _expect(status is None or status >= 300, f"half an object was accepted with status {status}")
    await _expect_error(BlobMissing, endpoint.blobs.size(key), "half an object")


def _put_half(url: str) -> int | None:
    """Promises 2 MiB, sends 1 and hangs up; returns what the store said to that, if anything."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=10)
    try:
        size = {"Content-Length": str(2 * PIECE)}
        connection.request("PUT", f"{parts.path}?{parts.query}", body=bytes(PIECE), headers=size)
        if parts.scheme == "http":
            connection.sock.shutdown(socket.SHUT_WR)
            return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return None


class _BreaksOff(io.RawIOBase):
    """A file of which only the first part can be read."""

    def __init__(self) -> None:
        super().__init__()
        self._parts = [bytes(CHUNK)]

    def read(self, _size: int = -1, /) -> bytes:
        if not self._parts:
            raise Failed("broken off on purpose")
        return self._parts.pop()


async def a_file_that_breaks_off_leaves_nothing(endpoint: Endpoint) -> None:
    key, settings = _key(), endpoint.settings
    name, body = settings.prefix + key, cast("BinaryIO", _BreaksOff())

    def work(client: Minio) -> None:
        send(client, settings.name, name, body, 3 * CHUNK)

    line = Line(settings, "conformance", threads=1, connect=5, read=30, retries=0)
    try:
        await line.ask(key, work)
    except Failed:
        await _expect_error(BlobMissing, endpoint.blobs.size(key), "half a file")
        _expect(key not in await _all_under(endpoint.blobs, "sources/"), "half a file is listed")
    else:
        raise Failed("half a file was accepted")
    finally:
        line.close()


CHECKS: Sequence[Check] = (
    the_bucket_is_there,
    a_wrong_secret_key_is_refused,
    an_unknown_access_key_is_refused,
    an_empty_object_comes_back_empty,
    one_byte_comes_back,
    a_chunk_of_8_mib_comes_back_bit_for_bit,
    a_long_file_comes_back_bit_for_bit_in_pieces,
    an_empty_file_and_a_short_one_come_back,
    a_range_gives_exactly_its_bytes,
    a_range_past_the_end_is_missing,
    what_is_not_there_is_missing,
    a_listing_keeps_to_its_prefix,
    a_listing_goes_on_past_a_thousand_in_order,
    what_was_written_or_deleted_shows_at_once,
    deleting_what_is_not_there_is_fine,
    different_keys_can_be_written_at_once,
    a_put_that_breaks_off_leaves_nothing,
    a_file_that_breaks_off_leaves_nothing,
)
