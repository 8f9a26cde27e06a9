"""A job's ZIP over HTTP: what is in it, and who gets it."""

import io
import json
import zipfile
from urllib.parse import unquote
from uuid import uuid4

import httpx
import pytest

from api.conftest import Server
from api.downloading import address, as_owner, download, unpacked
from api.serving import Watched
from footage import TIMING, Footage
from retake.blobs.bucket import Blobs
from retake.domain.states import Wish
from retake.store import parts
from retake.store.connect import Database
from retake.store.jobs import wish

pytestmark = pytest.mark.anyio


async def test_a_download_holds_every_take_as_it_was_stored_in_a_folder_per_source(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(["beach.mp4", "日本 🎬.mov"], takes=2)

    answer = await download(asking, job)

    got = unpacked(answer)
    assert answer.status_code == 200
    assert list(got) == [
        "manifest.json",
        "manifest.csv",
        "beach/beach_var1.mp4",
        "beach/beach_var2.mp4",
        "日本 🎬/日本 🎬_var1.mp4",
        "日本 🎬/日本 🎬_var2.mp4",
    ]
    assert list(got.values())[2:] == [job.takes[place] for place in [(0, 1), (0, 2), (1, 1), (1, 2)]]


async def test_its_headers_say_what_it_is_and_exactly_how_long(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished(["Ferien “1”/été.mp4"])

    answer = await download(asking, job)

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
    asking: httpx.AsyncClient, footage: Footage, names: list[str], options: dict[str, str], called: str
) -> None:
    job = await footage.finished(names, takes=1, options=options)

    answer = await download(asking, job, "HEAD")

    exact = unquote(answer.headers["Content-Disposition"].partition("UTF-8''")[2])
    assert exact == called.format(id=str(job.id)[:8])


async def test_head_says_the_same_and_reads_no_object(
    asking: httpx.AsyncClient, footage: Footage, store: Watched
) -> None:
    job = await footage.finished()

    head = await download(asking, job, "HEAD")
    whole = await download(asking, job)  # on the same connection: it begins when the first answer has ended

    assert (head.status_code, head.content, store.read) == (200, b"", 2 * 1000)
    own = {"date": "", "x-request-id": ""}
    assert {**head.headers, **own} == {**whole.headers, **own}


async def test_the_manifest_says_of_each_take_what_it_is_and_how_to_render_it_again(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(["a.mp4"], takes=1)
    (row,) = await footage.sql("SELECT * FROM variation")

    document = json.loads(unpacked(await download(asking, job))["manifest.json"])

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
                "engine": "ffmpeg 9 libx264",
                "distance": {"look": 0.9},
                "duration": 1.5,
                "size": 1000,
                "crc32": f"{row['crc32']:08x}",
                "sha256": row["sha256"],
            }
        ],
    }


async def test_the_same_takes_give_the_same_bytes(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished()
    await footage.sql("UPDATE job SET created_at = '2020-02-03 04:05:06+00'")

    one, other = await download(asking, job), await download(asking, job)

    assert one.content == other.content
    assert {info.date_time for info in zipfile.ZipFile(io.BytesIO(one.content)).infolist()} == {(2020, 2, 3, 4, 5, 6)}


async def test_a_job_that_still_runs_gives_what_is_finished_under_the_names_it_will_keep(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned(["a.mp4", "A.mp4"], takes=10)
    claims = await footage.claims(job)
    await footage.render(job, claims[12], b"third of the second")

    early = unpacked(await download(asking, job))
    await footage.render(job, claims[0], b"first of the first")
    later = unpacked(await download(asking, job))

    assert [*early][2:] == ["A (2)/A (2)_var03.mp4"]
    assert [*later][2:] == ["a/a_var01.mp4", "A (2)/A (2)_var03.mp4"]


async def test_a_job_without_a_finished_take_has_nothing_to_download_yet(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned()

    answer = await download(asking, job)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_takes_yet")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_job_that_ended_without_a_take_says_so(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.planned()
    await wish(footage.database, job.id, Wish.CANCEL)

    answer = await download(asking, job)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_takes")


async def test_the_takes_of_a_cancelled_job_that_were_finished_can_be_had(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned(takes=2)
    first, second = await footage.claims(job)
    await footage.render(job, first, b"kept")
    await wish(footage.database, job.id, Wish.CANCEL)
    await parts.release(footage.database, second, TIMING, blocked=False)

    answer = await download(asking, job)

    assert [*unpacked(answer).values()][2:] == [b"kept"]


@pytest.mark.parametrize("reason", ["age", "space"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_an_expired_job_is_gone_and_says_why(
    asking: httpx.AsyncClient, footage: Footage, reason: str, method: str
) -> None:
    job = await footage.finished()
    await wish(footage.database, job.id, Wish.EXPIRE, reason)

    answer = await download(asking, job, method)

    assert answer.status_code == 410
    if method == "GET":
        assert (answer.json()["code"], answer.json()["reason"]) == ("expired", reason)


async def test_a_job_that_expires_while_a_worker_still_stops_is_gone(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned()
    first, _ = await footage.claims(job)
    await footage.render(job, first, b"take")
    await wish(footage.database, job.id, Wish.EXPIRE, "space")

    assert (await footage.job(job))["state"] == "cancelling"
    assert (await download(asking, job)).status_code == 410


async def test_unknown_malformed_foreign_and_deleted_are_not_found_and_alike(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    mine, deleted = await footage.finished(), await footage.finished()
    theirs = await footage.finished(owner="others")
    await wish(footage.database, deleted.id, Wish.EXPIRE, "deleted")
    asked = [str(uuid4()), "1", "%00", "x" * 3000, str(mine.id).upper(), str(theirs.id), str(deleted.id)]

    answers = [await asking.get(address(job), headers=as_owner(mine)) for job in asked]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_the_service_gives_a_download_to_its_owner_and_to_nobody_else(
    server: Server, client: httpx.AsyncClient, database: Database, blobs: Blobs
) -> None:
    job = await Footage(database, blobs).finished(owner="default")
    theirs = await Footage(database, blobs).finished(owner="others")

    got = await client.get(address(job))
    unknown, foreign = await client.get(address(uuid4())), await client.get(address(theirs))
    nobody = await server.client.get(address(job))

    assert [*unpacked(got).values()][2:] == [job.takes[0, 1], job.takes[0, 2]]
    assert (unknown.status_code, foreign.status_code, unknown.content) == (404, 404, foreign.content)
    assert nobody.status_code == 401


async def test_two_hundred_takes_come_whole_and_in_order(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished([f"{video:02}.mp4" for video in range(10)], takes=20, size=100)

    got = unpacked(await download(asking, job))

    assert [*got][2:] == [f"{v:02}/{v:02}_var{n:02}.mp4" for v in range(10) for n in range(1, 21)]
    assert [*got.values()][2:] == [job.takes[v, n] for v in range(10) for n in range(1, 21)]
