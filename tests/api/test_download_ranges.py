"""A ZIP in pieces: any Range is a slice of the same whole, wherever and whenever it is asked for."""

import asyncio
import io
import json
import random
import zipfile
from datetime import UTC
from email.utils import format_datetime

import httpx
import pytest

from api.downloading import MIB, address, as_owner, download, offering, unpacked
from api.serving import Watched, served
from footage import Filmed, Footage
from retake.domain.states import Wish
from retake.settings import Bucket, Postgres
from retake.store.connect import Database, open_database
from retake.store.jobs import wish
from retake.store.retrying import retry

pytestmark = pytest.mark.anyio


async def last_event(footage: Footage, job: Filmed) -> int:
    (row,) = await footage.sql("SELECT max(id) AS id FROM event WHERE job_id = %s", job.id)
    return int(row["id"])


async def test_two_hundred_random_ranges_are_slices_of_the_whole(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished(["a.mp4", "b.mp4"], takes=2, size=700_000)
    whole = await download(asking, job)
    size, chance = len(whole.content), random.Random(7)

    for _ in range(200):
        first, last = sorted(chance.choices(range(size), k=2))
        span = chance.choice([f"{first}-{last}", f"{first}-", f"-{size - first}"])
        got = await download(asking, job, Range=f"bytes={span}")

        end = last if span == f"{first}-{last}" else size - 1
        assert got.status_code == 206
        assert got.headers["Content-Range"] == f"bytes {first}-{end}/{size}"
        assert int(got.headers["Content-Length"]) == end - first + 1
        assert got.content == whole.content[first : end + 1], span


async def test_a_range_reads_only_what_it_sends(asking: httpx.AsyncClient, footage: Footage, store: Watched) -> None:
    job = await footage.finished(takes=3, size=MIB)
    size = int((await download(asking, job, "HEAD")).headers["Content-Length"])

    await download(asking, job, Range=f"bytes={size // 2}-{size // 2 + 9}")

    assert store.read == 10


async def test_two_replicas_and_one_that_starts_later_give_the_same_bytes_and_tag(
    footage: Footage, database: Database, store: Watched, postgres: Postgres, bucket: Bucket
) -> None:
    job = await footage.finished(["日本.mp4", "b.mp4"], takes=3, size=5000)
    got = []
    for _ in range(2):
        async with (
            open_database(postgres, name="replica") as own,
            served(offering(own, store)) as one,
            served(offering(database, store)) as other,
        ):
            for replica in (one, other):
                async with httpx.AsyncClient(base_url=replica) as asking:
                    got.append(await download(asking, job))

    kept = ["etag", "last-modified", "content-length", "content-disposition"]
    assert len({answer.content for answer in got}) == 1
    assert len({tuple(answer.headers[name] for name in kept) for answer in got}) == 1


async def test_if_range_goes_on_with_the_same_takes_and_begins_anew_with_others(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished()
    whole = await download(asking, job)
    by_tag, by_date = whole.headers["ETag"], whole.headers["Last-Modified"]

    same = [await download(asking, job, Range="bytes=100-", If_Range=known) for known in (by_tag, by_date)]
    chosen = await download(asking, job, query={"variation": "2"}, Range="bytes=100-", If_Range=by_tag)

    assert [answer.content for answer in same] == [whole.content[100:]] * 2
    assert (chosen.status_code, len(unpacked(chosen))) == (200, 3)
    assert chosen.headers["ETag"] != by_tag


async def test_its_date_is_that_of_the_jobs_end(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished()
    ended = (await footage.job(job))["ended_at"]

    answer = await download(asking, job, "HEAD")

    assert answer.headers["Last-Modified"] == format_datetime(ended.astimezone(UTC), usegmt=True)
    assert answer.headers["Accept-Ranges"] == "bytes"


async def test_conditions_and_ranges_that_cannot_be_met_are_told(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished()
    whole = await download(asking, job)
    size = len(whole.content)

    beyond = await download(asking, job, Range=f"bytes={size}-")
    known = await download(asking, job, If_None_Match=whole.headers["ETag"])
    other = await download(asking, job, If_Match='"other"')

    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert beyond.json()["code"] == "no_such_range"
    assert beyond.headers["Content-Type"] == "application/problem+json"
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", whole.headers["ETag"])
    assert (other.status_code, other.json()["code"]) == (412, "changed")


@pytest.mark.parametrize(
    ("files", "variations", "expected"),
    [
        ([1], None, [(1, 1), (1, 2), (1, 3)]),
        ([1, 0], None, [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]),
        (None, ["2"], [(0, 2), (1, 2)]),
        (None, ["3,1"], [(0, 1), (0, 3), (1, 1), (1, 3)]),
        (None, ["3", "1, 1"], [(0, 1), (0, 3), (1, 1), (1, 3)]),
        ([0], ["2", "3"], [(0, 2), (0, 3)]),
    ],
)
async def test_chosen_takes_come_alone_and_under_the_names_they_have_in_the_whole(
    asking: httpx.AsyncClient,
    footage: Footage,
    files: list[int] | None,
    variations: list[str] | None,
    expected: list[tuple[int, int]],
) -> None:
    job = await footage.finished(["a.mp4", "a.mov"], takes=3)
    query = [("file", str(job.videos[n])) for n in files or []] + [("variation", word) for word in variations or []]

    got = unpacked(await download(asking, job, query=query))
    listed = {"file": ",".join(str(job.videos[n]) for n in files or [0, 1])}
    as_a_list = unpacked(await download(asking, job, query=listed))

    folder = {0: "a", 1: "a (2)"}
    assert [*got][2:] == [f"{folder[video]}/{folder[video]}_var{index}.mp4" for video, index in expected]
    assert [*got.values()][2:] == [job.takes[place] for place in expected]
    assert {*got} <= {*as_a_list}


async def test_what_cannot_be_chosen_is_refused(asking: httpx.AsyncClient, footage: Footage) -> None:
    job, other = await footage.finished(), await footage.finished()

    async def refused(**query: str) -> tuple[int, str]:
        answer = await download(asking, job, query=query)
        return answer.status_code, answer.json()["code"]

    assert await refused(file=str(other.videos[0])) == (404, "not_found")
    assert await refused(file="x") == (404, "not_found")
    assert await refused(variation="3") == (422, "no_such_variation")
    assert await refused(variation="1,²") == (422, "no_such_variation")
    assert await refused(variation="") == (409, "no_takes")
    assert await refused(asOf="0") == (422, "invalid")
    assert await refused(asOf=str(2**63)) == (422, "invalid")
    assert await refused(asOf=str(2**63 - 1)) == (422, "no_such_event")


async def test_a_chosen_take_that_is_not_finished_is_not_there_yet(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.planned(takes=2)
    first, _ = await footage.claims(job)
    await footage.render(job, first, b"one")

    answer = await download(asking, job, query={"variation": "2"})

    assert (answer.status_code, answer.json()["code"]) == (409, "no_takes_yet")
    assert answer.json()["error"] == "No take of those that were chosen is finished yet."


async def test_while_the_job_runs_an_answer_is_a_snapshot_and_says_where_it_can_be_continued(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned(takes=3)
    first, second, third = await footage.claims(job)
    await footage.render(job, first, b"one" * 1000)
    snapshot = await download(asking, job, query={"variation": "1,2"}, Range="bytes=100-")

    await footage.render(job, second, b"two" * 1000)
    later = await download(asking, job)
    pinned = snapshot.headers["Content-Location"]
    rest = await asking.get(pinned, headers={**as_owner(job), "Range": "bytes=100-"})
    await footage.render(job, third, b"three")
    after = await asking.get(pinned, headers=as_owner(job))

    assert (snapshot.status_code, snapshot.headers["Accept-Ranges"]) == (200, "none")
    assert len(unpacked(later)) == 2 + 2
    assert (rest.status_code, rest.content) == (206, snapshot.content[100:])
    assert (after.content, after.headers["ETag"]) == (snapshot.content, snapshot.headers["ETag"])
    assert "Content-Location" not in (await download(asking, job)).headers


async def test_a_moment_has_the_takes_that_were_finished_by_then(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.planned(["a.mp4", "b.mp4"], takes=2)
    moments = []
    for claimed in reversed(await footage.claims(job)):
        await footage.render(job, claimed, b"take")
        moments.append(await last_event(footage, job))

    counts = [len(unpacked(await download(asking, job, query={"asOf": str(at)}))) - 2 for at in moments]
    before = await download(asking, job, query={"asOf": str(moments[0] - 4)})
    whole = [await download(asking, job), await download(asking, job, query={"asOf": str(moments[-1])})]

    assert counts == [1, 2, 3, 4]
    assert (before.status_code, before.json()["error"]) == (409, "No take was finished at that moment.")
    assert whole[0].content == whole[1].content


async def test_an_event_of_somebody_else_is_no_moment(asking: httpx.AsyncClient, footage: Footage) -> None:
    job, theirs = await footage.finished(), await footage.finished(owner="others")

    answer = await download(asking, job, query={"asOf": str(await last_event(footage, theirs))})

    assert (answer.status_code, answer.json()["code"]) == (422, "no_such_event")


async def test_a_job_that_is_retried_is_a_snapshot_again_until_it_has_ended(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.planned(takes=2)
    first, second = await footage.claims(job)
    await footage.render(job, first, b"one")
    await wish(footage.database, job.id, Wish.CANCEL)
    await footage.release(second)
    ended = await download(asking, job)

    await retry(footage.database, job.id, None)
    during = await download(asking, job, Range="bytes=10-")
    (again,) = await footage.claims(job)
    await footage.render(job, again, b"two")
    more = await download(asking, job, Range="bytes=10-", If_Range=ended.headers["ETag"])

    assert ended.headers["Accept-Ranges"] == "bytes"
    assert (during.status_code, during.content) == (200, ended.content)
    assert (more.status_code, len(unpacked(more))) == (200, 2 + 2)


class Behind(io.RawIOBase):
    """The ZIP behind an address, as a file whose every read is a Range."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        super().__init__()
        self._url, self._client = url, httpx.Client(headers=headers)
        self._size, self._at, self.came = int(self._client.head(url).headers["Content-Length"]), 0, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        last = min(self._size, self._at + size) - 1 if size >= 0 else self._size - 1
        if last < self._at:
            return b""
        got = self._client.get(self._url, headers={"Range": f"bytes={self._at}-{last}"})
        assert got.status_code == 206
        self._at += len(got.content)
        self.came += len(got.content)
        return got.content

    def close(self) -> None:
        self._client.close()
        super().close()


@pytest.mark.unsound("I9", why="nine gigabytes are only said to be there")
async def test_of_an_archive_of_nine_gigabytes_both_ends_can_be_read(downloads_url: str, footage: Footage) -> None:
    """Only rows say that the first takes are so large; nobody reads them."""
    job = await footage.finished(takes=4)
    await footage.sql("UPDATE variation SET size = 3 * 1024::bigint ^ 3 WHERE index < 4")

    def ends() -> tuple[list[zipfile.ZipInfo], bytes, bytes, int]:
        with Behind(downloads_url + address(job), as_owner(job)) as behind, zipfile.ZipFile(behind) as archive:
            infos = archive.infolist()
            return infos, archive.read(infos[0]), archive.read(infos[-1]), behind.came

    infos, manifest, last, read = await asyncio.to_thread(ends)

    assert [info.file_size for info in infos[2:]] == [3 * 2**30] * 3 + [1000]
    assert infos[-1].header_offset > 9 * 2**30
    assert len(json.loads(manifest)["variations"]) == 4
    assert last == job.takes[0, 4]
    assert read < MIB
