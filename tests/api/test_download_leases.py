"""Bytes that are being sent are not deleted, whoever wants them gone; and nobody holds them by holding still."""

import asyncio

import httpx
import pytest

from api.downloading import MIB, TIMING, address, as_owner, begun
from api.serving import Watched
from conftest import eventually
from footage import Filmed, Footage
from retake.domain.states import Wish
from retake.store.jobs import expire_due, wish
from retake_janitor import purge, sources

pytestmark = pytest.mark.anyio


async def leases(footage: Footage) -> int:
    return len(await footage.sql("SELECT FROM download WHERE until > now()"))


async def free(footage: Footage) -> bool:
    return await footage.sql("SELECT FROM download") == []


async def rest(reader: asyncio.StreamReader, due: int, *, pause: float = 0) -> int:
    """How many of the bytes that are due still come, to a client that pauses after each megabyte."""
    came = 0
    while came < due and (piece := await reader.read(MIB)):
        came += len(piece)
        await asyncio.sleep(pause)
    return came


def promised(head: bytes) -> int:
    """The whole answer's length, its head included, by the beginning of it."""
    lines, _, _ = head.partition(b"\r\n\r\n")
    (length,) = (line for line in lines.split(b"\r\n") if line.lower().startswith(b"content-length"))
    return len(lines) + 4 + int(length.split(b":")[1])


async def test_a_job_that_is_deleted_and_purged_meanwhile_is_sent_to_the_end(
    downloads_url: str, footage: Footage, store: Watched
) -> None:
    job = await footage.finished(takes=5, size=8 * MIB)  # the later ones are not opened before they are due
    begin, reader, writer = await begun(downloads_url, job)
    await wish(footage.database, job.id, Wish.EXPIRE, "deleted")
    during = await leases(footage), await purge.run_once(footage.database, store)

    came = len(begin) + await rest(reader, promised(begin) - len(begin))
    writer.close()
    await eventually(lambda: free(footage))

    assert came == promised(begin) > 40 * MIB
    assert during == (1, 0)
    assert await purge.run_once(footage.database, store) == 1
    assert await footage.objects("results/") == []


async def test_a_job_does_not_expire_while_it_is_downloaded(downloads_url: str, big: Filmed, footage: Footage) -> None:
    await footage.pass_time(big, "25 hours")
    _, _, writer = await begun(downloads_url, big)

    during = await expire_due(footage.database)
    writer.transport.abort()
    await eventually(lambda: free(footage))

    assert (during, await expire_due(footage.database)) == (0, 1)


async def test_a_source_that_is_read_is_not_swept(asking: httpx.AsyncClient, footage: Footage, store: Watched) -> None:
    job = await footage.finished(takes=1, chunks=[6 * MIB] * 4)
    path = f"/api/jobs/{job.id}/files/{job.videos[0]}/source"

    async with asking.stream("GET", path, headers=as_owner(job)) as answer:
        pieces = answer.aiter_raw()
        came = len(await anext(pieces))
        during = await leases(footage), await sources.run_once(footage.database, store)
        async for piece in pieces:
            came += len(piece)
    await eventually(lambda: free(footage))

    assert (during, came) == ((1, 0), 24 * MIB)
    assert await sources.run_once(footage.database, store) == 1


async def test_a_download_that_lost_its_lease_is_broken_off_visibly(
    downloads_url: str, big: Filmed, footage: Footage
) -> None:
    begin, reader, writer = await begun(downloads_url, big)

    await footage.sql("UPDATE download SET until = now()")
    came = len(begin) + await rest(reader, promised(begin) - len(begin), pause=TIMING.download / 50)

    assert came < promised(begin)
    writer.close()


async def test_what_is_short_is_sent_without_a_lease(asking: httpx.AsyncClient, big: Filmed, footage: Footage) -> None:
    await footage.sql("ALTER TABLE download ADD CHECK (false)")

    short = await asking.get(address(big), headers={**as_owner(big), "Range": "bytes=50000000-50999999"})

    assert (short.status_code, len(short.content)) == (206, 10**6)
