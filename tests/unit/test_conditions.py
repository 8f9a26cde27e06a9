from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retake_api.conditions import Version, Wanted, wanted

AT = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)
DATE = "Wed, 04 Mar 2026 05:06:07 GMT"
VERSION = Version('"v1"', 1000, AT)
WHOLE = Wanted(200, 0, 1000)


def asked(**headers: str) -> Wanted:
    return wanted("GET", {name.replace("_", "-"): value for name, value in headers.items()}, VERSION)


@pytest.mark.parametrize(
    ("header", "first", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-999", 0, 1000),
        ("bytes=0-", 0, 1000),
        ("bytes=999-", 999, 1),
        ("bytes=10-20", 10, 11),
        ("bytes=990-5000", 990, 10),
        ("bytes=-1", 999, 1),
        ("bytes=-5000", 0, 1000),
        ("Bytes= 5-6 ", 5, 2),
    ],
)
def test_one_range_of_bytes_is_served(header: str, first: int, length: int) -> None:
    assert asked(range=header) == Wanted(206, first, length)


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1001", "bytes=999999999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(header: str) -> None:
    assert asked(range=header).status == 416


@pytest.mark.parametrize(
    "header",
    [
        "bytes=-",
        "bytes=",
        "bytes=5-4",
        "bytes=a-b",
        "bytes=1-2,5-6",
        "lines=1-2",
        "bytes 1-2",
        "",
        "bytes=" + "9" * 5000,
    ],
)
def test_what_is_no_single_range_asks_for_the_whole(header: str) -> None:
    assert asked(range=header) == WHOLE


@given(st.text(st.sampled_from("bytes=-0123456789, "), max_size=30), st.integers(0, 2000))
def test_no_range_reaches_outside(header: str, size: int) -> None:
    want = wanted("GET", {"range": f"bytes={header}"}, Version('"v"', size))

    if want.status == 206:
        assert 0 <= want.first < want.first + want.length <= size
    else:
        assert want in {Wanted(200, 0, size), Wanted(416)}


@pytest.mark.parametrize("version", ['"v1"', DATE])
def test_if_range_with_this_version_goes_on(version: str) -> None:
    assert asked(range="bytes=5-", if_range=version) == Wanted(206, 5, 995)


@pytest.mark.parametrize("version", ['"v2"', 'W/"v1"', "v1", "Wed, 04 Mar 2026 05:06:08 GMT", ""])
def test_if_range_with_another_version_begins_anew(version: str) -> None:
    assert asked(range="bytes=5-", if_range=version) == WHOLE
    assert asked(range="bytes=5000-", if_range=version) == WHOLE


def test_what_is_not_dated_is_continued_by_its_tag_only() -> None:
    undated = Version('"v1"', 1000)

    assert wanted("GET", {"range": "bytes=5-", "if-range": "None"}, undated) == WHOLE
    assert wanted("GET", {"range": "bytes=5-", "if-range": '"v1"'}, undated).status == 206


def test_a_head_has_no_range_and_neither_has_what_may_change() -> None:
    assert wanted("HEAD", {"range": "bytes=5-"}, VERSION) == WHOLE
    assert wanted("GET", {"range": "bytes=5-"}, Version('"v1"', 1000, ranges=False)) == WHOLE


@pytest.mark.parametrize("tags", ['"v1"', 'W/"v1"', '"v0", "v1"', "*"])
def test_who_has_it_gets_nothing_new(tags: str) -> None:
    assert asked(if_none_match=tags, range="bytes=5-").status == 304


def test_who_has_another_gets_it() -> None:
    assert asked(if_none_match='"v0", "v2"') == WHOLE


@pytest.mark.parametrize(("tags", "status"), [('"v1"', 200), ("*", 200), ('W/"v1"', 412), ('"v0"', 412)])
def test_who_wants_only_that_version_gets_no_other(tags: str, status: int) -> None:
    assert asked(if_match=tags).status == status
