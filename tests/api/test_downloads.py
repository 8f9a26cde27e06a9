"""A job's ZIP over HTTP, from a real server, real rows and real objects."""

import asyncio
import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Header
from structlog.testing import capture_logs

from api.serving import Watched, served
from blobs.stores import connections_to
from conftest import eventually
from footage import TIMING, Filmed, Footage
from retake.domain.states import Wish
from retake.settings import Bucket
from retake.store import parts
from retake.store.connect import Database
from retake.store.jobs import wish
from retake_api import downloads, problems

pytestmark = pytest.mark.anyio

MIB = 2**20
PATIENCE = 0.5


async def caller(x_workspace: Annotated[UUID, Header()]) -> UUID:
    return x_workspace


@pytest.fixture
async def watched(bucket: Bucket) -> AsyncIterator[Watched]:
    store = Watched(bucket, threads=4, timeout=10)
    await store.ensure()
    yield store
    store.close()


@pytest.fixture
async def footage(database: Database, watched: Watched) -> Footage:
    return Footage(database, watched)


@pytest.fixture
async def url(database: Database, watched: Watched) -> AsyncIterator[str]:
    app = FastAPI()
    problems.install(app)
    downloads.install(app, caller, database, watched, patience=PATIENCE)
    async with served(app) as address:
        yield address


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url) as opened:
        yield opened


def as_owner(job: Filmed) -> dict[str, str]:
    return {"X-Workspace": str(job.workspace)}


def address(job: Filmed | UUID | str) -> str:
    return f"/api/jobs/{job.id if isinstance(job, Filmed) else job}/download"


async def download(client: httpx.AsyncClient, job: Filmed, method: str = "GET") -> httpx.Response:
    return await client.request(method, address(job), headers=as_owner(job))


def files(answer: httpx.Response) -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


async def test_a_download_holds_every_take_as_it_was_stored_in_a_folder_per_source(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(["beach.mp4", "日本 🎬.mov"], takes=2)

    answer = await download(client, job)

    got = files(answer)
    assert answer.status_code == 200
    assert list(got) == [
        "manifest.json",
        "beach/beach_var1.mp4",
        "beach/beach_var2.mp4",
        "日本 🎬/日本 🎬_var1.mp4",
        "日本 🎬/日本 🎬_var2.mp4",
    ]
    assert list(got.values())[1:] == [job.takes[place] for place in [(0, 1), (0, 2), (1, 1), (1, 2)]]


async def test_its_headers_say_what_it_is_and_exactly_how_long(client: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished(["Ferien “1”/été.mp4"])

    answer = await download(client, job)

    assert answer.headers["Content-Type"] == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert "Transfer-Encoding" not in answer.headers
    plain, _, exact = answer.headers["Content-Disposition"].partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="Ferien _1___t_.zip"'
    assert unquote(exact) == "Ferien “1”_été.zip"


@pytest.mark.parametrize(
    ("names", "options", "called"),
    [
        (["a.mp4"], {}, "a.zip"),
        (["a.mp4", "b.mp4"], {"name": "Summer/2026 ☀"}, "Summer_2026 ☀.zip"),
        (["a.mp4", "b.mp4"], {"name": " "}, "retake-{id}.zip"),
        (["a.mp4", "b.mp4"], {}, "retake-{id}.zip"),
    ],
)
async def test_it_is_called_like_its_job_or_its_only_source(
    client: httpx.AsyncClient, footage: Footage, names: list[str], options: dict[str, str], called: str
) -> None:
    job = await footage.finished(names, takes=1, options=options)

    answer = await download(client, job, "HEAD")

    exact = unquote(answer.headers["Content-Disposition"].partition("UTF-8''")[2])
    assert exact == called.format(id=str(job.id)[:8])


async def test_head_says_the_same_and_reads_no_object(
    client: httpx.AsyncClient, footage: Footage, watched: Watched
) -> None:
    job = await footage.finished()

    head = await download(client, job, "HEAD")
    whole = await download(client, job)  # on the same connection: it begins when the first answer has ended

    assert (head.status_code, head.content, watched.read) == (200, b"", 2 * 1000)
    assert {**head.headers, "date": ""} == {**whole.headers, "date": ""}


async def test_the_manifest_says_of_each_take_what_it_is_and_how_to_render_it_again(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(["a.mp4"], takes=1)
    (row,) = await footage.sql("SELECT * FROM variation")

    document = json.loads(files(await download(client, job))["manifest.json"])

    assert document.pop("createdAt") == (await footage.job(job))["created_at"].isoformat()
    assert document == {
        "version": 1,
        "jobId": str(job.id),
        "variations": [
            {
                "path": "a/a_var1.mp4",
                "source": "a.mp4",
                "index": 1,
                "seed": 7,
                "recipe": {"seed": 7, "index": 1},
                "distance": {"look": 0.9},
                "duration": 1.5,
                "size": 1000,
                "crc32": f"{row['crc32']:08x}",
                "sha256": row["sha256"],
            }
        ],
    }


async def test_the_same_takes_give_the_same_bytes(client: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished()
    await footage.sql("UPDATE job SET created_at = '2020-02-03 04:05:06+00'")

    one, other = await download(client, job), await download(client, job)

    assert one.content == other.content
    assert {info.date_time for info in zipfile.ZipFile(io.BytesIO(one.content)).infolist()} == {(2020, 2, 3, 4, 5, 6)}


async def test_a_job_that_still_runs_gives_what_is_finished_under_the_names_it_will_keep(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned(["a.mp4", "A.mp4"], takes=10)
    claims = await footage.claims(job)
    await footage.render(job, claims[12], b"third of the second")

    early = files(await download(client, job))
    await footage.render(job, claims[0], b"first of the first")
    later = files(await download(client, job))

    assert [*early][1:] == ["A (2)/A (2)_var03.mp4"]
    assert [*later][1:] == ["a/a_var01.mp4", "A (2)/A (2)_var03.mp4"]


async def test_a_job_without_a_finished_take_has_nothing_to_download_yet(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned()

    answer = await download(client, job)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_takes_yet")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_job_that_ended_without_a_take_says_so(client: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.planned()
    await wish(footage.database, job.id, Wish.CANCEL)

    answer = await download(client, job)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_takes")


async def test_the_takes_of_a_cancelled_job_that_were_finished_can_be_had(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned(takes=2)
    first, second = await footage.claims(job)
    await footage.render(job, first, b"kept")
    await wish(footage.database, job.id, Wish.CANCEL)
    await parts.release(footage.database, second, TIMING, blocked=False)

    answer = await download(client, job)

    assert [*files(answer).values()][1:] == [b"kept"]


@pytest.mark.parametrize("reason", ["age", "space"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_expired_job_is_gone_and_says_why(
    client: httpx.AsyncClient, footage: Footage, reason: str, method: str
) -> None:
    job = await footage.finished()
    await wish(footage.database, job.id, Wish.EXPIRE, reason)

    answer = await download(client, job, method)

    assert answer.status_code == 410
    if method == "GET":
        assert (answer.json()["code"], answer.json()["reason"]) == ("expired", reason)


async def test_a_job_that_expires_while_a_worker_still_stops_is_gone(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned()
    first, _ = await footage.claims(job)
    await footage.render(job, first, b"take")
    await wish(footage.database, job.id, Wish.EXPIRE, "space")

    assert (await footage.job(job))["state"] == "cancelling"
    assert (await download(client, job)).status_code == 410


async def test_unknown_malformed_foreign_and_deleted_are_not_found_and_alike(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    mine, deleted = await footage.finished(), await footage.finished()
    theirs = await footage.finished(owner="others")
    await wish(footage.database, deleted.id, Wish.EXPIRE, "deleted")
    asked = [str(uuid4()), "1", "..", "%00", "x" * 3000, str(theirs.id), str(deleted.id)]

    answers = [await client.get(address(job), headers=as_owner(mine)) for job in asked]

    assert {answer.status_code for answer in answers} == {404}
    shown = {answer.text.replace(urlsplit(str(answer.url)).path, "") for answer in answers[-2:]}
    assert shown == {answers[0].text.replace(address(asked[0]), "")}
    assert {answer.json()["code"] for answer in answers} == {"not_found"}


async def test_two_hundred_takes_come_whole_and_in_order(client: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished([f"{video:02}.mp4" for video in range(10)], takes=20, size=100)

    got = files(await download(client, job))

    assert [*got][1:] == [f"{v:02}/{v:02}_var{n:02}.mp4" for v in range(10) for n in range(1, 21)]
    assert [*got.values()][1:] == [job.takes[v, n] for v in range(10) for n in range(1, 21)]


async def test_an_object_that_is_missing_breaks_the_connection_visibly(
    client: httpx.AsyncClient, footage: Footage, watched: Watched
) -> None:
    job = await footage.finished()
    (second,) = [row["key"] for row in await footage.sql("SELECT key FROM variation WHERE index = 2")]
    await footage.blobs.delete(second)

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        await download(client, job)

    assert watched.open == 0


async def test_an_object_that_is_short_breaks_the_connection_visibly(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished()
    (second,) = [row["key"] for row in await footage.sql("SELECT key FROM variation WHERE index = 2")]
    await footage.blobs.delete(second)
    await footage.blobs.put(second, job.takes[0, 2][:-1])

    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending complete"):
        await download(client, job)


async def test_a_download_whose_first_object_is_missing_does_not_begin(
    client: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(takes=1)
    (only,) = [row["key"] for row in await footage.sql("SELECT key FROM variation")]
    await footage.blobs.delete(only)

    answer = await download(client, job)

    assert answer.status_code >= 500
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.fixture
async def big(footage: Footage, tmp_path: Path) -> Filmed:
    """A job with one take of 100 MB."""
    job = await footage.finished(takes=1)
    file = tmp_path / "big.mp4"
    with file.open("wb") as opened:
        opened.truncate(100 * 10**6)
    (row,) = await footage.sql("SELECT key FROM variation")
    await footage.blobs.delete(row["key"])
    await footage.blobs.put_file(row["key"], file)
    await footage.sql("UPDATE variation SET size = 100 * 10^6")
    return job


@pytest.fixture
def memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def test_a_big_take_passes_through_a_few_pieces_of_memory(
    client: httpx.AsyncClient, big: Filmed, memory: None
) -> None:
    came = 0
    tracemalloc.reset_peak()

    async with client.stream("GET", address(big), headers=as_owner(big)) as answer:
        async for piece in answer.aiter_raw():
            came += len(piece)

    _, peak = tracemalloc.get_traced_memory()
    assert came == int(answer.headers["Content-Length"]) > 100 * 10**6
    assert peak < 8 * MIB


async def begun(url: str, job: Filmed) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that asked, and took a megabyte."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"GET {address(job)} HTTP/1.1\r\nHost: x\r\nX-Workspace: {job.workspace}\r\n\r\n".encode())
    await reader.readexactly(MIB)
    return reader, writer


async def test_a_client_that_hangs_up_half_way_frees_everything(
    url: str, big: Filmed, watched: Watched, bucket: Bucket
) -> None:
    before = connections_to(bucket)
    _, writer = await begun(url, big)
    assert watched.open == 1

    writer.transport.abort()

    await eventually(lambda: all_is_free(watched, bucket, before))
    assert watched.read < 50 * MIB


async def test_a_client_that_stops_reading_makes_us_stop_too_and_is_given_up_after_a_while(
    url: str, big: Filmed, watched: Watched, bucket: Bucket
) -> None:
    before = connections_to(bucket)
    with capture_logs() as logged:
        _, writer = await begun(url, big)

        await eventually(lambda: all_is_free(watched, bucket, before))

    assert watched.read < 50 * MIB
    assert [line["event"] for line in logged] == ["a client stopped reading its download"]
    writer.transport.abort()


async def all_is_free(watched: Watched, bucket: Bucket, connections: int) -> bool:
    return watched.open == 0 and connections_to(bucket) <= connections


async def test_a_client_that_is_slow_but_goes_on_reading_gets_everything(
    url: str, big: Filmed, watched: Watched
) -> None:
    reader, writer = await begun(url, big)
    began, came = time.monotonic(), MIB

    while came < 100 * 10**6:
        await asyncio.sleep(0.01)  # the slowness that is tested
        came += len(await reader.read(MIB))

    assert time.monotonic() - began > PATIENCE
    assert watched.read == 100 * 10**6
    writer.transport.abort()
