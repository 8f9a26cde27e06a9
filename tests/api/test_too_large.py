"""A video that is larger than videos may be is really sent: refused while it arrives, and nothing of it is left."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from api import wire
from api.conftest import Server, Start, logged_in, nothing_is_left
from api.sweeping import a_day_later
from api.tus_client import BYTES, begun, offset
from api.wire import MIB, clip
from conftest import eventually
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

MOST = [2, pytest.param(500, marks=pytest.mark.faults)]
"""MiB that a video may have; one more is sent."""
SOCKETS = 16 * MIB
"""What may be under way when an answer is given at once."""


@dataclass(frozen=True)
class Refused:
    status: int
    code: str
    sent: int
    """Bytes of the body, as far as it was sent when the answer came."""


@dataclass(frozen=True)
class Sender:
    server: Server
    token: str
    most: int
    """Bytes that a video may have."""
    asked: list[str] = field(default_factory=list)

    def video(self) -> Iterator[bytes]:
        block = clip(MIB)
        return (block for _ in range(self.most // MIB + 1))

    def form(self) -> Iterator[bytes]:
        yield wire.part("videos", b"", "big.mp4")[:-2]
        yield from self.video()
        yield b"\r\n" + wire.whole()

    async def over(self) -> bool:
        """The server is done with all that was sent."""
        ended = Counter(self.server.ended)
        return all(ended[path] >= times for path, times in Counter(self.asked).items())

    async def send(self, asked: str, body: Iterator[bytes], length: int | None, **headers: str) -> Refused:
        """Chunked when it says no length; to its end, or until there is an answer."""
        said = {"Host": "test", "Authorization": f"Bearer {self.token}", **headers}
        said |= {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        head = [f"{asked} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
        self.asked.append(asked.partition(" ")[2])
        sent = 0
        async with wire.connected(self.server.url) as (reader, writer):
            writer.write("\r\n".join(head).encode())
            answering = asyncio.create_task(reader.readuntil(b"}"))
            with suppress(ConnectionError):
                while not answering.done() and (piece := next(body, None)) is not None:
                    writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if length is None else piece)
                    await writer.drain()
                    sent += len(piece)
            async with asyncio.timeout(60):
                answer = await answering
        code = answer.partition(b'"code":')[2].split(b'"')[1].decode()
        return Refused(int(answer.split(b" ", 2)[1]), code, sent)


@pytest.fixture(params=MOST)
async def sender(start: Start, request: pytest.FixtureRequest) -> Sender:
    server = await start(limits={"file_mib": request.param, "buffer_mib": 1 if request.param == 2 else 32})
    return Sender(server, await server.log_in(), request.param * MIB)


# What is said of the length, by the true one; what is answered, and whether at once. What is sent beyond the length
# that was said is no part of the request, but a next one that makes no sense.

FORMS: list[tuple[Callable[[int], int | None], int, str, bool]] = [
    (lambda _: None, 411, "length_required", True),
    (lambda whole: whole, 413, "file_too_large", False),
    (lambda whole: 2 * whole, 413, "file_too_large", False),
    (lambda whole: whole // 2, 400, "bad_request", False),
]


async def test_a_form_with_its_length_without_one_or_with_a_false_one(
    sender: Sender, database: Database, blobs: Blobs
) -> None:
    for says, status, code, at_once in FORMS:
        refused = await sender.send("POST /api/jobs", sender.form(), says(sum(map(len, sender.form()))), **wire.TYPE)

        assert (refused.status, refused.code) == (status, code)
        assert refused.sent <= SOCKETS + (0 if at_once else sender.most)
    await eventually(sender.over)
    assert await nothing_is_left(database, blobs)


PATCHES: list[tuple[Callable[[int], int | None], int, str, bool]] = [
    (lambda _: None, 413, "beyond_the_end", False),
    (lambda whole: whole, 413, "beyond_the_end", True),
    (lambda _: 3000, 400, "bad_request", True),
]


async def test_the_bytes_of_an_upload_with_their_length_without_one_or_with_a_false_one(
    sender: Sender, database: Database, blobs: Blobs
) -> None:
    async with logged_in(sender.server) as client:
        for says, status, code, at_once in PATCHES:
            where = await begun(client, sender.most)
            headers = {**BYTES, "Upload-Offset": "0"}

            refused = await sender.send(f"PATCH {where}", sender.video(), says(sender.most + MIB), **headers)

            assert (refused.status, refused.code) == (status, code)
            assert refused.sent <= SOCKETS + (0 if at_once else sender.most)
        await eventually(sender.over)
        assert await offset(client, where) <= 3000
    await a_day_later(database, blobs)
    assert await nothing_is_left(database, blobs)


BEGINNINGS: list[tuple[Callable[[int], int], str, bool]] = [
    (lambda whole: whole, "file_too_large", True),
    (lambda whole: whole - MIB, "beyond_the_end", False),
]


async def test_an_upload_that_begins_with_its_bytes_and_says_how_long_it_is_or_a_false_length(
    sender: Sender, database: Database, blobs: Blobs
) -> None:
    for says, code, at_once in BEGINNINGS:
        headers = {**BYTES, "Upload-Length": str(says(sender.most + MIB))}

        refused = await sender.send("POST /api/uploads", sender.video(), None, **headers)

        assert (refused.status, refused.code) == (413, code)
        assert refused.sent <= SOCKETS + (0 if at_once else sender.most)
    await eventually(sender.over)
    assert await nothing_is_left(database, blobs)
