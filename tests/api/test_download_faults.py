"""Downloads that cannot go on: a store without the bytes, a client that leaves, stops or dawdles."""

import asyncio
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from api.downloading import MIB, TIMING, address, as_owner, begun, download
from api.serving import Watched
from blobs.stores import connections_to
from conftest import eventually
from footage import Filmed, Footage
from retake.settings import Bucket

pytestmark = pytest.mark.anyio


async def test_an_object_that_is_missing_breaks_the_connection_visibly(
    asking: httpx.AsyncClient, footage: Footage, store: Watched
) -> None:
    job = await footage.finished(size=MIB)
    (second,) = [row["key"] for row in await footage.sql("SELECT key FROM variation WHERE index = 2")]
    await footage.blobs.delete(second)

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        await download(asking, job)

    assert store.open == 0


async def test_an_object_that_is_short_breaks_the_connection_visibly(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(size=MIB)
    (second,) = [row["key"] for row in await footage.sql("SELECT key FROM variation WHERE index = 2")]
    await footage.blobs.delete(second)
    await footage.blobs.put(second, job.takes[0, 2][:-1])

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        await download(asking, job)


async def test_a_download_whose_first_object_is_missing_does_not_begin(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(takes=1)
    (only,) = [row["key"] for row in await footage.sql("SELECT key FROM variation")]
    await footage.blobs.delete(only)

    answer = await download(asking, job)

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")


@pytest.fixture
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def test_a_big_take_passes_through_a_few_pieces_of_memory(
    asking: httpx.AsyncClient, big: Filmed, memory: None
) -> None:
    came = 0
    tracemalloc.reset_peak()

    async with asking.stream("GET", address(big), headers=as_owner(big)) as answer:
        async for piece in answer.aiter_raw():
            came += len(piece)

    _, peak = tracemalloc.get_traced_memory()
    assert came == int(answer.headers["Content-Length"]) > 100 * 10**6
    assert peak < 8 * MIB


async def test_a_client_that_hangs_up_half_way_frees_everything(
    downloads_url: str, big: Filmed, store: Watched, footage: Footage, bucket: Bucket
) -> None:
    before = connections_to(bucket)
    _, _, writer = await begun(downloads_url, big)
    assert store.open == 1

    writer.transport.abort()

    await eventually(lambda: all_is_free(store, footage, bucket, before))
    assert store.read < 50 * MIB


async def test_a_client_that_stops_reading_makes_us_stop_too_and_is_given_up_after_a_while(
    downloads_url: str, big: Filmed, store: Watched, footage: Footage, bucket: Bucket
) -> None:
    before = connections_to(bucket)
    with capture_logs() as logged:
        _, _, writer = await begun(downloads_url, big)

        await eventually(lambda: all_is_free(store, footage, bucket, before))
        await eventually(lambda: told(logged, "request"))

    assert store.read < 50 * MIB
    assert [line["event"] for line in logged] == ["a client stopped reading its download", "request"]
    writer.transport.abort()


async def told(logged: list[Any], event: str) -> bool:
    return any(line["event"] == event for line in logged)


async def all_is_free(store: Watched, footage: Footage, bucket: Bucket, connections: int) -> bool:
    leases = await footage.sql("SELECT FROM download")
    return store.open == 0 and not leases and connections_to(bucket) <= connections


async def test_a_client_that_is_slow_but_goes_on_reading_gets_everything(
    downloads_url: str, big: Filmed, store: Watched
) -> None:
    _, reader, writer = await begun(downloads_url, big)
    began, came = time.monotonic(), MIB

    while came < 100 * 10**6:
        await asyncio.sleep(0.01)  # the slowness that is tested
        came += len(await reader.read(MIB))

    assert time.monotonic() - began > TIMING.download
    assert store.read == 100 * 10**6
    writer.transport.abort()
