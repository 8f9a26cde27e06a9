"""Sources on a worker's disk: fetched once, never removed from under anybody, and not kept for ever."""

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobMissing
from retake.domain.work import ChunkPlace, Claim, PartKind, Work
from retake_worker.scratch import Scratch, ScratchTaken

pytestmark = pytest.mark.anyio


class Counted:
    """A store that counts what is asked of it, and answers when it is told to."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs, self.asked, self.open = blobs, 0, asyncio.Event()
        self.open.set()

    async def get(self, key: str) -> bytes:
        self.asked += 1
        await self.open.wait()
        return await self._blobs.get(key)


@pytest.fixture
def counted(blobs: Blobs) -> Any:
    return Counted(blobs)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    scratch = Scratch(tmp_path, "worker", keep=250)
    yield scratch
    scratch.close()


async def stored(blobs: Blobs, *chunks: bytes) -> Work:
    places = []
    for data in chunks:
        key = f"sources/{uuid4()}"
        await blobs.put(key, data)
        places.append(ChunkPlace(key, len(data), hashlib.sha256(data).hexdigest()))
    size = sum(place.size for place in places)
    return Work("a", uuid4(), size, places, variations=1, seed=1, options={}, probe=None, takes=[])


def claim(part: int) -> Claim:
    return Claim(part, part, PartKind.RENDER, uuid4(), uuid4(), 0)


def kept(tmp_path: Path) -> int:
    return len(list((tmp_path / "worker" / "sources").iterdir()))


async def test_parts_at_once_share_one_download(scratch: Scratch, blobs: Blobs, counted: Any) -> None:
    work = await stored(blobs, b"one ", b"two")
    counted.open.clear()

    async def part(number: int) -> tuple[str, bytes]:
        async with scratch.folder(claim(number)) as folder:
            sha256 = await scratch.sources.bring(counted, work, folder / "source")
            return sha256, (folder / "source").read_bytes()

    tasks = [asyncio.create_task(part(number)) for number in range(4)]
    await asyncio.sleep(0)
    counted.open.set()

    assert await asyncio.gather(*tasks) == [(hashlib.sha256(b"one two").hexdigest(), b"one two")] * 4
    assert counted.asked == 2


async def test_a_part_that_comes_later_finds_it_and_one_that_is_stopped_leaves_it_to_the_others(
    scratch: Scratch, blobs: Blobs, counted: Any
) -> None:
    work = await stored(blobs, b"bytes")
    counted.open.clear()
    async with scratch.folder(claim(1)) as one, scratch.folder(claim(2)) as two:
        stopped = asyncio.create_task(scratch.sources.bring(counted, work, one / "source"))
        waiting = asyncio.create_task(scratch.sources.bring(counted, work, two / "source"))
        await asyncio.sleep(0)
        stopped.cancel()
        await asyncio.wait({stopped})
        counted.open.set()
        await waiting
    async with scratch.folder(claim(3)) as later:
        await scratch.sources.bring(counted, work, later / "source")

        assert (later / "source").read_bytes() == b"bytes"
    assert counted.asked == 1


async def test_when_all_who_wanted_it_are_stopped_it_is_not_fetched_to_the_end(
    scratch: Scratch, blobs: Blobs, counted: Any, tmp_path: Path
) -> None:
    work = await stored(blobs, b"bytes")
    counted.open.clear()
    async with scratch.folder(claim(1)) as folder:
        only = asyncio.create_task(scratch.sources.bring(counted, work, folder / "source"))
        await asyncio.sleep(0)
        only.cancel()
        await asyncio.wait({only})

    assert kept(tmp_path) == 0


async def test_what_did_not_come_is_asked_for_again(scratch: Scratch, blobs: Blobs, tmp_path: Path) -> None:
    work = await stored(blobs, b"bytes")
    await blobs.put(lost := work.chunks[0].key, b"other")
    async with scratch.folder(claim(1)) as folder:
        with pytest.raises(BlobMissing):
            await scratch.sources.bring(blobs, work, folder / "source")
        before = kept(tmp_path)
        await blobs.put(lost, b"bytes")

        await scratch.sources.bring(blobs, work, folder / "source")

    assert before == 0


async def test_the_one_used_longest_ago_goes_first_and_never_one_in_use(
    scratch: Scratch, blobs: Blobs, counted: Any, tmp_path: Path
) -> None:
    first, second, third, fourth = [await stored(blobs, bytes(100)) for _ in range(4)]
    async with scratch.folder(claim(1)) as using:
        await scratch.sources.bring(counted, first, using / "source")
        for number, work in enumerate([second, third, fourth], start=2):
            async with scratch.folder(claim(number)) as folder:
                await scratch.sources.bring(counted, work, folder / "source")

        assert (using / "source").read_bytes() == bytes(100)
        assert counted.asked == 4
        async with scratch.folder(claim(6)) as folder:
            await scratch.sources.bring(counted, fourth, folder / "source")
            assert counted.asked == 4
        async with scratch.folder(claim(7)) as folder:
            await scratch.sources.bring(counted, second, folder / "source")
            assert counted.asked == 5
    assert kept(tmp_path) == 2


async def test_what_is_larger_than_the_bound_is_there_while_it_is_needed(
    scratch: Scratch, blobs: Blobs, tmp_path: Path
) -> None:
    work = await stored(blobs, bytes(200), bytes(200))

    async with scratch.folder(claim(1)) as folder:
        await scratch.sources.bring(blobs, work, folder / "source")
        size = (folder / "source").stat().st_size

    assert size == 400
    assert kept(tmp_path) == 0


async def test_what_nobody_uses_goes_when_the_disk_is_full(scratch: Scratch, blobs: Blobs, tmp_path: Path) -> None:
    used, unused = await stored(blobs, b"used"), await stored(blobs, b"unused")
    async with scratch.folder(claim(1)) as folder:
        await scratch.sources.bring(blobs, unused, folder / "source")
    async with scratch.folder(claim(2)) as folder:
        await scratch.sources.bring(blobs, used, folder / "source")
        scratch.tidy()
        before = kept(tmp_path)

        scratch.tidy(OSError(28, "No space left on device"))

        assert (folder / "source").read_bytes() == b"used"
        assert (before, kept(tmp_path)) == (2, 1)


def test_the_dead_are_cleaned_up_after_and_the_living_left_alone(tmp_path: Path) -> None:
    living, dead = Scratch(tmp_path, "living"), Scratch(tmp_path, "dead")
    foreign = tmp_path / "foreign" / "precious"
    foreign.mkdir(parents=True)
    os.close(dead._lock)  # as the kernel does when it dies

    Scratch(tmp_path, "new")

    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["foreign", "living", "new"]
    living.close()


def test_two_workers_of_one_name_do_not_share_a_folder(tmp_path: Path) -> None:
    living = Scratch(tmp_path, "one")

    with pytest.raises(ScratchTaken, match="RETAKE_WORKER_NAME"):
        Scratch(tmp_path, "one")

    living.close()
    Scratch(tmp_path, "one").close()
