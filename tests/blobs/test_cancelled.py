"""Callers that are cancelled, and files that go up in parts, against a store that answers when it is told to."""

import asyncio
from pathlib import Path

import pytest

from blobs.stores import FaultyStore, reply
from retake.blobs.bucket import Blobs
from retake.blobs.connect import CHUNK
from retake.blobs.errors import BlobUnavailable

pytestmark = pytest.mark.anyio


class Multipart:
    """A store that takes parts, waits before it answers the first one, and joins them as told."""

    def __init__(self, faulty: FaultyStore, joined: bytes) -> None:
        self._faulty, self._joined = faulty, joined
        self.first_part = asyncio.Event()
        self.withdrawn = asyncio.Event()

    async def behave(self, method: str, target: str, writer: asyncio.StreamWriter) -> None:
        if method == "POST" and target.endswith("?uploads="):
            writer.write(reply(200, b"<R><UploadId>7</UploadId></R>", Content_Type="application/xml"))
        elif method == "POST":
            writer.write(reply(200, self._joined, Content_Type="application/xml"))
        elif method == "DELETE":
            self.withdrawn.set()
            writer.write(reply(204))
        else:
            self.first_part.set()
            await self._faulty.go_on.wait()
            writer.write(reply(200, ETag="e"))


@pytest.fixture
def two_chunks(tmp_path: Path) -> Path:
    file = tmp_path / "two"
    file.write_bytes(bytes(2 * CHUNK))
    return file


async def test_parts_that_were_not_joined_are_no_object(
    faulty: FaultyStore, faulty_blobs: Blobs, two_chunks: Path
) -> None:
    faulty.go_on.set()
    joined = Multipart(faulty, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
    broken = Multipart(faulty, b"<Error><Code>InternalError</Code></Error>")

    faulty.behave = joined.behave
    assert await faulty_blobs.put_file("a/1", two_chunks) == 2 * CHUNK

    faulty.behave = broken.behave
    with pytest.raises(BlobUnavailable, match="did not join"):
        await faulty_blobs.put_file("a/1", two_chunks)


async def test_a_file_whose_sender_is_cancelled_stops_between_two_parts(
    faulty: FaultyStore, faulty_blobs: Blobs, two_chunks: Path
) -> None:
    parts = Multipart(faulty, b"")
    faulty.behave = parts.behave
    sending = asyncio.create_task(faulty_blobs.put_file("a/1", two_chunks))
    await parts.first_part.wait()

    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    faulty.go_on.set()

    async with asyncio.timeout(10):
        await parts.withdrawn.wait()
    assert [request.split("?")[0] for request in faulty.requests] == [
        "POST /faulty/a/1",
        "PUT /faulty/a/1",
        "DELETE /faulty/a/1",
    ]


async def test_a_reader_cancelled_while_the_store_stalls_gives_back_thread_and_connection(
    faulty: FaultyStore, faulty_blobs: Blobs
) -> None:
    async def stall(_method: str, target: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(reply(200, b"well") if target.endswith("2") else reply(200, b"some", length=2**20))
        return True

    faulty.behave = stall

    async with asyncio.timeout(5):
        async with faulty_blobs.stream("a/1") as pieces:
            reading = asyncio.create_task(anext(pieces))
            await asyncio.wait({reading}, timeout=0.1)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        assert await faulty_blobs.get("a/2") == b"well"
        await faulty.hung_up.wait()


async def test_a_stream_whose_opener_was_cancelled_is_closed_when_it_opens_at_last(
    faulty: FaultyStore, faulty_blobs: Blobs
) -> None:
    async def late(_method: str, _target: str, writer: asyncio.StreamWriter) -> bool:
        await faulty.go_on.wait()
        writer.write(reply(200, b"some", length=2**20))
        return True

    faulty.behave = late

    async def open_it() -> None:
        async with faulty_blobs.stream("a/1"):
            pytest.fail("it was opened for nobody")

    opening = asyncio.create_task(open_it())
    await faulty.asked.wait()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    faulty.go_on.set()

    async with asyncio.timeout(5):
        await faulty.hung_up.wait()


async def test_a_call_that_is_cancelled_before_its_turn_is_never_made(faulty: FaultyStore, faulty_blobs: Blobs) -> None:
    async def wait(_method: str, _target: str, writer: asyncio.StreamWriter) -> bool:
        await faulty.go_on.wait()
        writer.write(reply(200))
        return True

    faulty.behave = wait
    first = asyncio.create_task(faulty_blobs.put("a/1", b"x"))
    await faulty.asked.wait()
    second = asyncio.create_task(faulty_blobs.put("a/2", b"x"))
    await asyncio.wait({second}, timeout=0)

    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    faulty.go_on.set()
    await first
    await faulty_blobs.put("a/3", b"x")

    assert faulty.requests == ["PUT /faulty/a/1", "PUT /faulty/a/3"]


async def test_a_probe_waits_for_nobody(faulty: FaultyStore, faulty_blobs: Blobs) -> None:
    async def wait(_method: str, _target: str, writer: asyncio.StreamWriter) -> bool:
        await faulty.go_on.wait()
        writer.write(reply(200))
        return True

    faulty.behave = wait
    busy = asyncio.create_task(faulty_blobs.put("a/1", b"x"))
    await faulty.asked.wait()

    async with asyncio.timeout(5):
        await faulty_blobs.check()

    assert not busy.done()
    faulty.go_on.set()
    await busy
