"""Single takes, sources and pictures over HTTP: shown, kept, and read in parts."""

import random
from urllib.parse import unquote
from uuid import uuid4

import httpx
import pytest

from api.downloading import as_owner
from api.serving import Watched
from footage import TIMING, Filmed, Footage
from retake.domain.errors import Failure
from retake.domain.states import Wish
from retake.store import parts
from retake.store.jobs import wish
from retake.store.sources import sweep_source

pytestmark = pytest.mark.anyio

EVERY = ["variations/1", "variations/1/thumbnail", "source", "thumbnail"]


def address(job: Filmed, what: str, video: int = 0) -> str:
    return f"/api/jobs/{job.id}/files/{job.videos[video]}/{what}"


async def ask(
    asking: httpx.AsyncClient, job: Filmed, what: str, method: str = "GET", video: int = 0, **headers: str
) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await asking.request(method, address(job, what, video), headers={**as_owner(job), **given})


async def test_a_take_is_shown_in_place_or_kept_under_its_name_in_the_zip(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished(["a.mp4", "é “1”.mov"], takes=10)

    shown = await ask(asking, job, "variations/3", video=1)
    kept = await ask(asking, job, "variations/3?download=1", video=1)

    assert (shown.status_code, shown.content, kept.content) == (200, job.takes[1, 3], job.takes[1, 3])
    assert shown.headers["Content-Type"] == "video/mp4"
    assert shown.headers["Content-Disposition"].startswith("inline; filename=\"_ _1__var03.mp4\"; filename*=UTF-8''")
    assert kept.headers["Content-Disposition"].startswith("attachment; ")
    assert unquote(kept.headers["Content-Disposition"].partition("UTF-8''")[2]) == "é “1”_var03.mp4"


async def test_each_may_be_kept_by_a_browser_and_never_read_as_something_else(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    job = await footage.finished()
    for what in EVERY:
        got = await ask(asking, job, what)
        head = await ask(asking, job, what, "HEAD")
        again = await ask(asking, job, what, If_None_Match=got.headers["ETag"])
        rest = await ask(asking, job, what, Range="bytes=2-", If_Range=got.headers["ETag"])
        other = await ask(asking, job, what, Range="bytes=2-", If_Range='"other"')

        assert got.headers["Cache-Control"] == "private, max-age=86400, immutable", what
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert (head.status_code, head.content) == (200, b"")
        own = {"date": "", "x-request-id": ""}
        assert {**head.headers, **own} == {**got.headers, **own}
        assert (again.status_code, again.content) == (304, b"")
        assert (rest.status_code, rest.content) == (206, got.content[2:])
        assert (other.status_code, other.content) == (200, got.content)


async def test_pictures_are_webp(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished()

    pictures = [await ask(asking, job, what) for what in ("thumbnail", "variations/2/thumbnail")]

    assert [(one.content, one.headers["Content-Type"]) for one in pictures] == [(b"thumb", "image/webp")] * 2


async def test_a_picture_that_was_not_made_yet_is_not_found(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.accepted()
    unmade = [await ask(asking, job, what) for what in ("thumbnail", "variations/1/thumbnail")]
    done = await footage.finished()
    await footage.sql("UPDATE variation SET thumb_key = NULL")

    unmade.append(await ask(asking, done, "variations/1/thumbnail"))

    assert [answer.status_code for answer in unmade] == [404] * 3


async def test_a_source_is_a_video_whatever_it_is_called(asking: httpx.AsyncClient, footage: Footage) -> None:
    kinds = {"a.mp4": "video/mp4", "A.MOV": "video/quicktime", "a.webm": "video/webm", "a.html": "video/mp4"}
    job = await footage.accepted([*kinds])

    answers = [await ask(asking, job, "source", video=position) for position in range(len(kinds))]

    for answer, (name, kind) in zip(answers, kinds.items(), strict=True):
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"] == f"inline; filename=\"{name}\"; filename*=UTF-8''{name}"


@pytest.mark.parametrize("chunk", [1000, 400_000])
async def test_any_range_of_a_source_is_a_slice_of_its_chunks_end_to_end(
    asking: httpx.AsyncClient, footage: Footage, store: Watched, chunk: int
) -> None:
    job = await footage.accepted(["a.mp4"], chunks=[chunk, 1, chunk, 2 * chunk, 7])
    rows = await footage.sql("SELECT key FROM chunk WHERE state = 'done' ORDER BY n")
    whole = b"".join([await store.get(row["key"]) for row in rows])
    chance = random.Random(7)

    assert (await ask(asking, job, "source")).content == whole
    for _ in range(40):
        first, last = sorted(chance.choices(range(len(whole)), k=2))
        got = await ask(asking, job, "source", Range=f"bytes={first}-{last}")
        assert got.status_code == 206
        assert got.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
        assert got.content == whole[first : last + 1]


async def test_a_take_that_is_not_there_says_why(asking: httpx.AsyncClient, footage: Footage) -> None:
    unplanned, job = await footage.accepted(), await footage.planned(takes=3)
    failing, _, _ = await footage.claims(job)
    broken = Failure("encoder", "This take could not be encoded.")
    await parts.fail_variation(footage.database, failing, 1, broken, TIMING)
    before = await ask(asking, job, "variations/2")
    await wish(footage.database, job.id, Wish.CANCEL)

    told = [
        await ask(asking, unplanned, "variations/1"),
        before,
        await ask(asking, job, "variations/1"),
        await ask(asking, job, "variations/3"),
    ]

    assert [(one.status_code, one.json()["code"]) for one in told] == [
        (409, "not_finished"), (409, "not_finished"), (409, "failed"), (409, "cancelled"),
    ]  # fmt: skip
    assert told[2].json()["error"] == "This take could not be encoded."


@pytest.mark.parametrize("reason", ["age", "space"])
async def test_of_an_expired_job_nothing_is_left_and_it_says_why(
    asking: httpx.AsyncClient, footage: Footage, reason: str
) -> None:
    job = await footage.finished()
    await wish(footage.database, job.id, Wish.EXPIRE, reason)

    for what in EVERY:
        answer = await ask(asking, job, what)

        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (410, "expired", reason), what


async def test_a_source_that_nobody_needed_any_more_is_gone(asking: httpx.AsyncClient, footage: Footage) -> None:
    job = await footage.finished()
    assert await sweep_source(footage.database)

    answer = await ask(asking, job, "source")

    assert (answer.status_code, answer.json()["code"]) == (410, "source_gone")


async def test_unknown_malformed_foreign_and_deleted_are_not_found_and_alike(
    asking: httpx.AsyncClient, footage: Footage
) -> None:
    mine, deleted = await footage.finished(), await footage.finished()
    theirs = await footage.finished(owner="others")
    await wish(footage.database, deleted.id, Wish.EXPIRE, "deleted")
    for what in (*EVERY, "variations/3", "variations/0", "variations/01", "variations/x"):
        asked = [
            address(deleted, what),
            address(theirs, what),
            address(mine, "variations/99"),
            f"/api/jobs/{mine.id}/files/{theirs.videos[0]}/{what}",
            f"/api/jobs/{mine.id}/files/{uuid4()}/{what}",
            f"/api/jobs/{mine.id}/files/x/{what}",
            f"/api/jobs/{uuid4()}/files/{mine.videos[0]}/{what}",
            *([] if what in EVERY else [address(mine, what)]),
        ]

        answers = [await asking.get(path, headers=as_owner(mine)) for path in asked]

        assert {answer.status_code for answer in answers} == {404}, what
        assert len({answer.content for answer in answers}) == 1, what
