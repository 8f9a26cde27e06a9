"""The adapter against a store that misbehaves on purpose."""

import asyncio

import pytest

from blobs.stores import FaultyStore, reply, s3_error
from retake.blobs.bucket import Blobs, open_blobs
from retake.blobs.connect import CHUNK
from retake.blobs.errors import BlobError, BlobMissing, BlobRefused, BlobUnavailable, told

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("status", "code", "meant"),
    [
        (404, "NoSuchKey", BlobMissing),
        (416, "InvalidRange", BlobMissing),
        (404, "NoSuchBucket", BlobRefused),
        (404, "", BlobUnavailable),
        (416, "", BlobUnavailable),
        (404, "NoSuchUpload", BlobUnavailable),
        (403, "AccessDenied", BlobRefused),
        (403, "SignatureDoesNotMatch", BlobRefused),
        (403, "QuotaExceeded", BlobUnavailable),
        (400, "RequestTimeout", BlobUnavailable),
        (400, "InvalidRequest", BlobRefused),
        (409, "OperationAborted", BlobUnavailable),
        (429, "", BlobUnavailable),
        (500, "InternalError", BlobUnavailable),
        (501, "NotImplemented", BlobRefused),
        (503, "SlowDown", BlobUnavailable),
        (507, "XMinioStorageFull", BlobUnavailable),
        (301, "PermanentRedirect", BlobRefused),
        (200, "InternalError", BlobUnavailable),
        (200, "AccessDenied", BlobRefused),
    ],
)
def test_what_a_store_says_is_told_apart_by_what_to_do(status: int, code: str, meant: type[BlobError]) -> None:
    assert type(told(status, code, "")) is meant


@pytest.mark.parametrize("content_type", ["application/xml", "text/xml; charset=utf-8"])
async def test_both_shapes_of_an_error_mean_the_same(
    faulty: FaultyStore, faulty_blobs: Blobs, content_type: str
) -> None:
    faulty.behave = faulty.answers(s3_error(404, "NoSuchKey", content_type))
    with pytest.raises(BlobMissing, match="a/1: 404 NoSuchKey"):
        await faulty_blobs.get("a/1")

    faulty.behave = faulty.answers(s3_error(403, "AccessDenied", content_type))
    with pytest.raises(BlobRefused, match="a/1: 403 AccessDenied"):
        await faulty_blobs.get("a/1")

    faulty.behave = faulty.answers(s3_error(507, "XMinioStorageFull", content_type))
    with pytest.raises(BlobUnavailable, match="a/1: 507 XMinioStorageFull"):
        await faulty_blobs.put("a/1", b"x")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_store_that_is_busy_is_asked_three_times_and_no_longer(
    faulty: FaultyStore, faulty_blobs: Blobs, status: int
) -> None:
    faulty.behave = faulty.answers(reply(status, b"busy", Retry_After="8"))

    async with asyncio.timeout(5):
        for asked in (faulty_blobs.get("a/1"), faulty_blobs.put("a/1", b"x"), faulty_blobs.delete("a/1")):
            faulty.requests.clear()
            with pytest.raises(BlobUnavailable, match=str(status)):
                await asked
            assert len(faulty.requests) == 3


async def test_a_request_that_failed_once_is_repeated_whole(faulty: FaultyStore, faulty_blobs: Blobs) -> None:
    async def once(_method: str, _target: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(reply(200) if len(faulty.requests) > 1 else reply(503))
        return True

    faulty.behave = once

    await faulty_blobs.put("a/1", bytes(CHUNK))

    assert faulty.requests == ["PUT /faulty/a/1"] * 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\x00 garbage\r\n\r\n",
        reply(200, b"<html>Welcome to nginx</html>"),
        reply(200, b"<not xml"),
        reply(200, b"<List><Other/></List>"),
        reply(400, b"\xff\xfe\xfd"),
        reply(404, b"<html>default backend - 404</html>", Content_Type="text/html"),
        reply(204),
    ],
    ids=["hangs up", "no HTTP", "HTML", "broken XML", "other XML", "no text", "a proxy's 404", "nothing"],
)
async def test_an_answer_that_is_none_is_no_answer(faulty: FaultyStore, faulty_blobs: Blobs, answer: bytes) -> None:
    async def once_and_away(_method: str, _target: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer)
        return False

    faulty.behave = once_and_away

    with pytest.raises(BlobUnavailable):
        _ = [blob async for blob in faulty_blobs.listing("a/")]


async def test_a_store_that_says_nothing_is_given_up(faulty: FaultyStore) -> None:
    async def nothing(_method: str, _target: str, _writer: asyncio.StreamWriter) -> bool:
        await faulty.go_on.wait()
        return False

    faulty.behave = nothing

    async with open_blobs(faulty.settings, timeout=0.2) as blobs, asyncio.timeout(10):
        with pytest.raises(BlobUnavailable, match="Read timed out"):
            await blobs.get("a/1")

    assert len(faulty.requests) == 2


async def test_a_slow_store_is_waited_for_as_long_as_it_takes_bytes(faulty: FaultyStore) -> None:
    faulty.behave = faulty.answers(reply(200))
    async with open_blobs(faulty.settings, timeout=0.6) as blobs:
        faulty.pauses = iter([0.06] * 20)  # longer than the time-out in all, far shorter each

        await blobs.put("a/1", bytes(CHUNK))

        assert faulty.connections == 2  # the probe's, and one for the one try


async def test_an_answer_that_ends_early_is_never_taken_for_the_object(
    faulty: FaultyStore, faulty_blobs: Blobs
) -> None:
    async def half(_method: str, _target: str, writer: asyncio.StreamWriter) -> bool:
        writer.write(reply(200, bytes(50), length=100))
        return False

    faulty.behave = half

    with pytest.raises(BlobUnavailable):
        await faulty_blobs.get("a/1")
    with pytest.raises(BlobUnavailable):
        async with faulty_blobs.stream("a/1") as pieces:
            await anext(pieces)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"0123456789"),
        reply(206, b"0123", Content_Range="bytes 0-3/10"),
        reply(206, b"456789", Content_Range="bytes 4-9/10"),
        b"HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n4567\r\n0\r\n\r\n",
    ],
    ids=["everything", "another range", "too much", "no length"],
)
async def test_other_bytes_than_those_asked_for_are_refused(
    faulty: FaultyStore, faulty_blobs: Blobs, answer: bytes
) -> None:
    faulty.behave = faulty.answers(answer)

    with pytest.raises(BlobRefused):
        await faulty_blobs.get("a/1", 4, 4)


async def test_an_object_of_unknown_length_is_refused(faulty: FaultyStore, faulty_blobs: Blobs) -> None:
    faulty.behave = faulty.answers(b"HTTP/1.1 200 Said\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n4567\r\n0\r\n\r\n")

    with pytest.raises(BlobRefused, match="how long"):
        await faulty_blobs.get("a/1")


async def test_without_its_bucket_nothing_is_missing(faulty: FaultyStore, faulty_blobs: Blobs) -> None:
    faulty.has_bucket = False

    faulty.behave = faulty.answers(reply(404, length=30))
    with pytest.raises(BlobRefused, match="no bucket"):
        await faulty_blobs.size("a/1")
    faulty.behave = faulty.answers(s3_error(404, "NoSuchBucket"))
    with pytest.raises(BlobRefused, match="NoSuchBucket"):
        await faulty_blobs.get("a/1")
    with pytest.raises(BlobRefused, match="no bucket"):
        await faulty_blobs.check()


async def test_another_who_makes_the_bucket_first_does_no_harm(faulty: FaultyStore) -> None:
    async def made_already(_method: str, _target: str, writer: asyncio.StreamWriter) -> None:
        faulty.has_bucket = True
        writer.write(s3_error(409, "BucketAlreadyExists"))

    faulty.has_bucket, faulty.behave = False, made_already

    async with open_blobs(faulty.settings, patience=0) as blobs:
        await blobs.check()

    assert faulty.requests == ["PUT /faulty"]


async def test_a_bucket_that_may_not_be_made_is_refused_at_once(faulty: FaultyStore) -> None:
    faulty.has_bucket, faulty.behave = False, faulty.answers(s3_error(403, "AccessDenied"))

    with pytest.raises(BlobRefused, match="bucket faulty: 403 AccessDenied"):
        async with open_blobs(faulty.settings):
            pytest.fail("there is no bucket")

    assert faulty.requests == ["PUT /faulty"]


async def test_a_store_that_minds_the_deletion_of_nothing_is_not_minded(
    faulty: FaultyStore, faulty_blobs: Blobs
) -> None:
    faulty.behave = faulty.answers(s3_error(404, "NoSuchKey"))

    await faulty_blobs.delete("a/1")

    assert faulty.requests == ["DELETE /faulty/a/1"]


async def test_what_a_batch_could_not_delete_is_raised_after_all_was_tried(
    faulty: FaultyStore, faulty_blobs: Blobs
) -> None:
    kept = b"<Error><Key>a/1</Key><Code>%s</Code></Error>"
    faulty.behave = faulty.answers(reply(200, b"<DeleteResult>" + kept % b"NoSuchKey" + b"</DeleteResult>"))
    await faulty_blobs.delete_many(["a/1"])

    faulty.behave = faulty.answers(reply(200, b"<DeleteResult>" + kept % b"InternalError" + b"</DeleteResult>"))
    faulty.requests.clear()
    with pytest.raises(BlobUnavailable, match="2 objects were not deleted, among them a/1: 200 InternalError"):
        await faulty_blobs.delete_many(f"a/{n}" for n in range(1001))
    assert len(faulty.requests) == 2

    both = kept % b"InternalError" + kept % b"AccessDenied"
    faulty.behave = faulty.answers(reply(200, b"<DeleteResult>" + both + b"</DeleteResult>"))
    with pytest.raises(BlobRefused, match="2 objects were not deleted, among them a/1: 200 AccessDenied"):
        await faulty_blobs.delete_many(["a/1"])
