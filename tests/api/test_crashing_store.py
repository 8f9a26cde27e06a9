"""An object store that is killed under an upload and comes back: what was acknowledged is there, and nothing else."""

import os
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from api.conftest import Start, logged_in
from api.sweeping import a_day_later, only_what_jobs_have_is_left
from api.tus_client import begun, kept, offset, patch, used
from api.wire import MIB, clip
from conftest import eventually
from retake.blobs.bucket import open_blobs
from retake.settings import Bucket
from retake.store.connect import Database
from retake_local.child import Child
from retake_local.servers import free_port, s3

pytestmark = pytest.mark.anyio

BLOCK = MIB // 8


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[Child, Bucket]]:
    """A store of this test's own; when it dies it is started again."""
    program, url = s3(tmp_path, "key", "secret", free_port())
    child = Child(replace(program, rest=0.2), tmp_path, lambda _: None)
    try:
        await child.start()
        yield child, Bucket(endpoint=url, access_key="key", secret_key="secret", name="own", region="here", prefix="")
    finally:
        await child.stop()


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.faults)])
async def test_an_upload_goes_on_when_the_store_comes_back(
    start: Start, database: Database, server: tuple[Child, Bucket], kills: int
) -> None:
    (child, bucket), data = server, clip((kills + 1) * 4 * MIB)
    chance, reached = random.Random(kills), [0]
    async with open_blobs(bucket) as blobs, logged_in(await start(blobs=blobs, limits={"buffer_mib": 1})) as client:
        where = await begun(client, len(data))

        async def killing(at: int) -> AsyncIterator[bytes]:
            """The rest of it, during which the store dies."""
            last = at + chance.randrange(3 * MIB)
            for place in range(at, len(data), BLOCK):
                if place <= last < place + BLOCK:
                    assert child.pid is not None
                    os.killpg(child.pid, signal.SIGKILL)
                yield data[place : place + BLOCK]

        for kill in range(1, kills + 1):
            acknowledged = await patch(client, where, reached[-1], data[reached[-1] :][:MIB])
            refused = await patch(client, where, reached[-1] + MIB, killing(reached[-1] + MIB))
            await eventually(partial(back, child, kill), within=30)
            reached += [int(acknowledged.headers["Upload-Offset"]), await offset(client, where)]
            assert (refused.status_code, refused.json()["code"]) == (503, "storage_unavailable")
        await patch(client, where, reached[-1], data[reached[-1] :])
        await used(client, where)

        assert reached == sorted(reached)
        assert await kept(database, blobs, where) == data
        await a_day_later(database, blobs)
        await only_what_jobs_have_is_left(database, blobs)


async def back(child: Child, times: int) -> bool:
    return child.up and child.restarts == times
