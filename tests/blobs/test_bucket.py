"""The adapter on a real store: what the conformance suite does not say."""

import asyncio
import gc
import os
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from blobs.stores import OwnStore, connections_to
from conftest import eventually
from retake import metrics
from retake.blobs.bucket import PIECE, Blobs, open_blobs
from retake.blobs.connect import CHUNK
from retake.blobs.errors import BlobError, BlobMissing, BlobRefused, BlobUnavailable
from retake.settings import Bucket

pytestmark = pytest.mark.anyio

MIB = 2**20


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    """64 MiB without a byte on the disk."""
    file = tmp_path / "big"
    with file.open("wb") as opened:
        opened.truncate(64 * MIB)
    return file


@pytest.fixture
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def test_the_prefix_is_put_before_every_key_and_never_shown(bucket: Bucket) -> None:
    async with open_blobs(bucket) as inside, open_blobs(replace(bucket, prefix="")) as outside:
        await inside.put("a/1", b"x")
        await inside.put("a/2", b"x")

        assert [blob.key async for blob in inside.listing("a/")] == ["a/1", "a/2"]
        assert [blob.key async for blob in outside.listing(bucket.prefix)] == [
            f"{bucket.prefix}a/1",
            f"{bucket.prefix}a/2",
        ]
        await inside.delete_many(["a/1"])
        await inside.delete("a/2")
        assert [blob async for blob in outside.listing(bucket.prefix)] == []


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", ".", "../a", "a/../b", "a/./b"])
async def test_a_key_that_could_mean_another_one_is_not_asked_for(blobs: Blobs, key: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        await blobs.put(key, b"x")
    with pytest.raises(ValueError, match="is not a key"):
        await blobs.get(key)
    with pytest.raises(ValueError, match="is not a key"):
        await blobs.delete_many([key])


async def test_put_and_get_take_a_chunk_at_most(blobs: Blobs, big_file: Path) -> None:
    await blobs.put_file("big/1", big_file)

    with pytest.raises(ValueError, match="more than put takes"):
        await blobs.put("a/1", bytes(CHUNK + 1))
    with pytest.raises(BlobError, match="more than get returns"):
        await blobs.get("big/1")
    assert len(await blobs.get("big/1", 5, CHUNK)) == CHUNK


async def test_no_bytes_are_asked_for_and_none_come(blobs: Blobs) -> None:
    async with blobs.stream("not/there", 0, 0) as pieces:
        assert [piece async for piece in pieces] == []
    assert await blobs.get("not/there", 7, 0) == b""


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1)])
async def test_a_range_that_is_none_is_not_asked_for(blobs: Blobs, offset: int, length: int) -> None:
    with pytest.raises(ValueError, match="there are no"):
        await blobs.get("a/1", offset, length)


async def test_a_stream_of_a_range_starts_and_ends_where_it_should(blobs: Blobs) -> None:
    data = os.urandom(3 * MIB)
    await blobs.put("a/1", data)

    async with blobs.stream("a/1", 100, 2 * MIB + 1) as pieces:
        came = [piece async for piece in pieces]

    assert [len(piece) for piece in came] == [PIECE, PIECE, 1]
    assert b"".join(came) == data[100 : 101 + 2 * MIB]


async def test_what_is_missing_is_known_before_the_first_piece(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        async with blobs.stream("not/there"):
            pytest.fail("the stream was opened")


@pytest.fixture
async def lone(own_store: OwnStore) -> AsyncIterator[Blobs]:
    """The only adapter on its store, so that connections can be counted: one of the probe, one of the work."""
    await ask_once(own_store.settings)
    gc.collect()  # the SDK's error about a bucket not yet made keeps its connection in a traceback
    async with open_blobs(own_store.settings) as blobs:
        await blobs.put("a/1", bytes(CHUNK))
        assert connections_to(own_store.settings) == 2
        yield blobs


async def connected(own_store: OwnStore, count: int) -> bool:
    return connections_to(own_store.settings) == count


async def test_a_stream_left_early_gives_up_its_connection(lone: Blobs, own_store: OwnStore) -> None:
    for _ in range(3):
        async with lone.stream("a/1") as pieces:
            await anext(pieces)
            assert connections_to(own_store.settings) == 2

        await eventually(lambda: connected(own_store, 1))


async def test_streams_read_to_the_end_share_one_connection(lone: Blobs, own_store: OwnStore) -> None:
    for _ in range(10):
        async with lone.stream("a/1") as pieces:
            assert sum([len(piece) async for piece in pieces]) == CHUNK

    assert connections_to(own_store.settings) == 2


async def test_closing_leaves_no_connection(own_store: OwnStore) -> None:
    await ask_once(own_store.settings)
    gc.collect()
    async with open_blobs(own_store.settings) as blobs:
        await blobs.put("a/1", b"x")

    await eventually(lambda: connected(own_store, 0))


async def test_many_paused_streams_leave_the_threads_to_others(bucket: Bucket) -> None:
    async with open_blobs(bucket, threads=1) as blobs, asyncio.timeout(10):
        await blobs.put("a/1", bytes(2 * MIB))

        async with blobs.stream("a/1") as one, blobs.stream("a/1") as other:
            await anext(one)
            await anext(other)

            assert await blobs.get("a/1", 0, 3) == b"\0\0\0"


async def test_a_big_file_goes_up_in_two_parts_of_memory(blobs: Blobs, big_file: Path, memory: None) -> None:
    await blobs.put_file("big/1", big_file)

    _, peak = tracemalloc.get_traced_memory()
    assert peak < 2 * CHUNK + 2 * MIB
    assert await blobs.size("big/1") == 64 * MIB


async def test_a_big_object_comes_down_in_a_few_pieces_of_memory(blobs: Blobs, big_file: Path, memory: None) -> None:
    await blobs.put_file("big/1", big_file)
    tracemalloc.reset_peak()

    async with blobs.stream("big/1") as pieces:
        assert sum([len(piece) async for piece in pieces]) == 64 * MIB

    _, peak = tracemalloc.get_traced_memory()
    assert peak < 4 * MIB


async def test_a_file_that_cannot_be_read_is_no_fault_of_the_store(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await blobs.put_file("a/1", tmp_path / "none")


async def test_a_store_that_is_killed_is_unavailable_and_works_again_when_it_is_back(own_store: OwnStore) -> None:
    async with open_blobs(own_store.settings) as blobs:
        await blobs.put("a/1", b"kept")
        await blobs.check()

        await own_store.kill()

        with pytest.raises(BlobUnavailable):
            await blobs.get("a/1")
        with pytest.raises(BlobUnavailable):
            await blobs.put("a/2", b"x")
        with pytest.raises(BlobUnavailable):
            await blobs.size("a/1")
        with pytest.raises(BlobUnavailable):
            await blobs.delete_many(["a/1"])
        with pytest.raises(BlobUnavailable):
            await blobs.check()

        await own_store.start()

        await blobs.check()
        assert await blobs.get("a/1") == b"kept"


async def test_a_store_that_is_killed_in_the_middle_of_a_stream_cuts_it_short_visibly(
    own_store: OwnStore, big_file: Path
) -> None:
    async with open_blobs(own_store.settings) as blobs:
        await blobs.put_file("big/1", big_file)

        with pytest.raises(BlobUnavailable):  # noqa: PT012  what fails is a later piece
            async with blobs.stream("big/1") as pieces:
                await anext(pieces)
                await own_store.kill()
                async for _piece in pieces:
                    pass


async def test_opening_waits_for_a_store_that_comes_up_late(own_store: OwnStore) -> None:
    await own_store.kill()
    opening = asyncio.create_task(ask_once(own_store.settings))

    await own_store.start()

    await opening


async def ask_once(settings: Bucket) -> None:
    async with open_blobs(settings) as blobs:
        await blobs.check()


async def test_opening_gives_up_after_its_patience(own_store: OwnStore) -> None:
    await own_store.kill()

    with pytest.raises(BlobUnavailable):
        async with open_blobs(own_store.settings, patience=0.3):
            pytest.fail("nobody answered")


async def test_many_may_make_the_bucket_at_once(own_store: OwnStore) -> None:
    await asyncio.gather(*(ask_once(own_store.settings) for _ in range(8)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://127.0.0.1:1/path"},
        {"endpoint": "http://127.0.0.1:99999"},
        {"name": "two..dots"},
        {"region": "no region"},
    ],
)
async def test_what_can_be_no_store_is_refused_at_once(bucket: Bucket, wrong: dict[str, str]) -> None:
    with pytest.raises(BlobRefused):
        async with open_blobs(replace(bucket, **wrong)):
            pytest.fail("that was opened")


async def test_every_failure_is_counted_by_what_was_meant(blobs: Blobs) -> None:
    missing = metrics.BUCKET_ERRORS.labels("missing")
    before = missing._value.get()

    with pytest.raises(BlobMissing):
        await blobs.get("not/there")
    await blobs.delete("not/there")

    assert missing._value.get() == before + 1
