"""Uploads while Postgres or the object store fail: an answer that is true, and nothing left of what was refused."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from api.conftest import Start, form, logged_in, nothing_is_left, rows
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobUnavailable
from retake.settings import Bucket
from retake.store.connect import Connection, Database, Unavailable

pytestmark = pytest.mark.anyio


class Lossy(Database):
    """Once a job is inserted, loses its connection: before the commit, or after it."""

    def __init__(self, database: Database, *, after_commit: bool) -> None:
        self._database, self._after_commit, self.lost = database, after_commit, False

    @asynccontextmanager
    async def transaction(self, patience: float = 10) -> AsyncIterator[Connection]:
        async with self._database.transaction(patience) as connection:
            yield connection
            row = await (await connection.execute("SELECT count(*) AS jobs FROM job")).fetchone()
            losing = row is not None and row["jobs"] > 0 and not self.lost
            if losing and not self._after_commit:
                self.lost = True
                raise Unavailable("the server is gone")
        if losing:
            self.lost = True
            raise Unavailable("the server is gone")


async def test_a_commit_whose_answer_is_lost_is_looked_up_and_answered(
    start: Start, database: Database, blobs: Blobs
) -> None:
    lossy = Lossy(database, after_commit=True)
    server = await start(database=lossy)
    async with logged_in(server) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip()), ("b.mp4", clip())))
        job = (await client.get(answer.headers["Location"])).json()

    assert lossy.lost
    assert answer.status_code == 202
    assert [file["id"] for file in answer.json()["files"]] == [file["id"] for file in job["files"]]
    assert len(server.woken) == 1
    assert len([blob async for blob in blobs.listing()]) == 2
    assert len(await rows(database, "SELECT FROM source WHERE state = 'ready'")) == 2


async def test_an_accept_that_did_not_commit_is_503_and_leaves_nothing(
    start: Start, database: Database, blobs: Blobs
) -> None:
    lossy = Lossy(database, after_commit=False)
    async with logged_in(await start(database=lossy)) as client:
        answer = await client.post("/api/jobs", **form(("a.mp4", clip())))

    assert lossy.lost
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert await nothing_is_left(database, blobs)


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
