"""The suite on the local store, and the suite itself: an endpoint that lies is caught by the check that says so."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from retake.blobs import checks
from retake.blobs.bucket import Blob, Blobs, open_blobs
from retake.blobs.checks import CHECKS, Check, Endpoint, Failed
from retake.blobs.conformance import examine, sentence, throwaway
from retake.blobs.errors import BlobError, BlobMissing
from retake.settings import Bucket

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("check", CHECKS, ids=sentence)
async def test_on_the_local_store(check: Check, bucket: Bucket) -> None:
    async with throwaway(bucket) as endpoint:
        await check(endpoint)


async def test_every_check_of_the_module_is_in_the_suite() -> None:
    written = {name for name, thing in vars(checks).items() if callable(thing) and thing.__module__ == checks.__name__}

    assert {check.__name__ for check in CHECKS} == {name for name in written if name.islower() and name[0] != "_"}


async def test_what_the_checks_made_is_gone_afterwards(bucket: Bucket) -> None:
    async with throwaway(bucket) as endpoint:
        await endpoint.blobs.put("a/1", b"x")
        await endpoint.blobs.put("b/1", b"x")

    async with open_blobs(bucket) as blobs:
        assert [blob async for blob in blobs.listing()] == []


async def test_an_endpoint_that_cannot_be_opened_is_one_bad_outcome(bucket: Bucket) -> None:
    wrong = replace(bucket, secret_key="wrong")

    outcomes = [outcome async for outcome in examine(wrong, patience=0)]

    assert [outcome.name for outcome in outcomes] == ["the endpoint can be used"]
    assert "403" in (outcomes[0].problem or "")


async def test_a_check_that_takes_too_long_has_failed(bucket: Bucket) -> None:
    outcomes = [outcome async for outcome in examine(bucket, limit=0)]

    assert len(outcomes) == len(CHECKS)
    assert {outcome.problem for outcome in outcomes} == {"not done after 0 s"}


class Flips(Blobs):
    async def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        data = await super().get(key, offset, length)
        return data[:-1] + bytes([data[-1] ^ 1]) if data else b"?"


class IgnoresRange(Blobs):
    async def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        return await super().get(key)


class CutsRange(Blobs):
    async def get(self, key: str, offset: int = 0, length: int | None = None) -> bytes:
        try:
            return await super().get(key, offset, length)
        except BlobMissing:
            return (await super().get(key))[offset:]


class Miscounts(Blobs):
    async def size(self, key: str) -> int:
        return await super().size(key) + 1


class FindsAnything(Blobs):
    async def size(self, key: str) -> int:
        return 0


class ListsOnePage(Blobs):
    async def listing(self, prefix: str = "") -> AsyncIterator[Blob]:
        found = [blob async for blob in super().listing(prefix)]
        for blob in found[:1000]:
            yield blob


class ListsUnordered(Blobs):
    async def listing(self, prefix: str = "") -> AsyncIterator[Blob]:
        for blob in reversed([blob async for blob in super().listing(prefix)]):
            yield blob


class ListsNeighbours(Blobs):
    async def listing(self, prefix: str = "") -> AsyncIterator[Blob]:
        async for blob in super().listing(prefix.rstrip("/")):
            yield blob


class ListsLate(Blobs):
    async def listing(self, prefix: str = "") -> AsyncIterator[Blob]:
        for blob in [blob async for blob in super().listing(prefix)][:-1]:
            yield blob


class MindsMissing(Blobs):
    async def delete(self, key: str) -> None:
        await self.size(key)
        await super().delete(key)


class DeletesNothing(Blobs):
    async def delete(self, key: str) -> None:
        pass

    async def delete_many(self, keys: Iterable[str]) -> None:
        pass


@pytest.mark.parametrize(
    ("liar", "check"),
    [
        (Flips, checks.an_empty_object_comes_back_empty),
        (Flips, checks.one_byte_comes_back),
        (Flips, checks.a_chunk_of_8_mib_comes_back_bit_for_bit),
        (Flips, checks.an_empty_file_and_a_short_one_come_back),
        (Flips, checks.different_keys_can_be_written_at_once),
        (IgnoresRange, checks.a_range_gives_exactly_its_bytes),
        (CutsRange, checks.a_range_past_the_end_is_missing),
        (Miscounts, checks.one_byte_comes_back),
        (Miscounts, checks.a_long_file_comes_back_bit_for_bit_in_pieces),
        (FindsAnything, checks.what_is_not_there_is_missing),
        (FindsAnything, checks.a_put_that_breaks_off_leaves_nothing),
        (FindsAnything, checks.a_file_that_breaks_off_leaves_nothing),
        (ListsOnePage, checks.a_listing_goes_on_past_a_thousand_in_order),
        (ListsUnordered, checks.a_listing_keeps_to_its_prefix),
        (ListsNeighbours, checks.a_listing_keeps_to_its_prefix),
        (ListsLate, checks.what_was_written_or_deleted_shows_at_once),
        (MindsMissing, checks.deleting_what_is_not_there_is_fine),
        (DeletesNothing, checks.deleting_what_is_not_there_is_fine),
        (DeletesNothing, checks.what_was_written_or_deleted_shows_at_once),
    ],
)
async def test_a_store_that_lies_is_caught(liar: type[Blobs], check: Check, bucket: Bucket, tmp_path: Path) -> None:
    lying = liar(bucket, threads=16, timeout=30)
    await lying.ensure()

    with pytest.raises((Failed, BlobError)):
        await check(Endpoint(bucket, lying, tmp_path))

    lying.close()
