"""Uploads while the object store fails: an answer that is true, and nothing left of what was refused."""

import pytest

from api.conftest import Start, form, logged_in, nothing_is_left
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobUnavailable
from retake.settings import Bucket
from retake.store.connect import Database

pytestmark = pytest.mark.anyio


class Full(Blobs):
    """Takes one object and no more."""

    async def put(self, key: str, data: bytes) -> None:
        if [blob async for blob in self.listing()]:
            raise BlobUnavailable("507 at http://10.0.0.8")
        await super().put(key, data)


async def test_a_store_that_fails_in_the_middle_is_503_and_leaves_nothing(
    start: Start, database: Database, blobs: Blobs, bucket: Bucket
) -> None:
    failing = Full(bucket, threads=2, timeout=10)
    async with logged_in(await start(blobs=failing)) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip()), ("b.mp4", clip(20 * MIB))))
    failing.close()

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
    assert "10.0.0.8" not in answer.text
    assert await nothing_is_left(database, blobs)
