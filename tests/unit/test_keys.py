import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retake.blobs.keys import Named, Result, ResultThumb, SourceChunk, VideoThumb, of_job, of_source, parse

A, B = "0b0e7a1c-5a2f-4c1e-9c55-3f8f1d2a7b10", "1c6a3f9e-0000-4000-8000-00000000000f"

ids = st.uuids().map(str)
numbers = st.integers(0, 2**63 - 1)
named = st.one_of(
    st.builds(SourceChunk, ids, st.integers(0, 99_999), st.text("0123456789abcdef", min_size=8, max_size=64)),
    st.builds(Result, ids, ids, numbers, numbers),
    st.builds(ResultThumb, ids, ids, numbers, numbers),
    st.builds(VideoThumb, ids, ids, numbers),
)


@pytest.mark.parametrize(
    ("thing", "key"),
    [
        (SourceChunk(A, 7, "00ff00ff"), f"sources/{A}/00007-00ff00ff"),
        (Result(A, B, 3, 812), f"results/{A}/{B}/3.812.mp4"),
        (ResultThumb(A, B, 3, 812), f"results/{A}/{B}/3.812.webp"),
        (VideoThumb(A, B, 811), f"thumbs/{A}/{B}.811.webp"),
    ],
)
def test_every_object_has_its_place(thing: Named, key: str) -> None:
    assert thing.key == key
    assert parse(key) == thing


@given(named)
def test_a_key_reads_back_as_what_it_names(thing: Named) -> None:
    assert parse(thing.key) == thing


@given(named, named)
def test_no_key_is_a_folder_of_another(one: Named, other: Named) -> None:
    assert not one.key.startswith(f"{other.key}/")


@given(st.one_of(st.text(), named.map(lambda thing: thing.key).flatmap(lambda key: st.sampled_from(near(key)))))
def test_what_reads_as_a_key_is_spelt_exactly_so(text: str) -> None:
    assert (found := parse(text)) is None or found.key == text


def near(key: str) -> list[str]:
    """Texts that are almost this key."""
    return [
        key.upper(),
        f"{key}\n",
        f" {key}",
        f"/{key}",
        f"{key}/",
        key.replace("/", "//", 1),
        key.replace(".", ".0", 1),
        re.sub("[0-9]", "٣", key, count=1),
        key[:-1],
    ]


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "sources/",
        f"sources/{A}/.rclone_temp_put_1",
        f"sources/{A}/00007-00ff00ff/more",
        f"sources/{A.upper()}/00007-00ff00ff",
        f"sources/{A}/7-00ff00ff",
        f"sources/{A}/٠٠٠٠٧-00ff00ff",
        f"results/{A}/{B}/3.812.mov",
        f"results/{A}/{B}/03.812.mp4",
        f"results/{A}/3.812.mp4",
        f"thumbs/{A}/{B}.811.webp\n",
        f"other/{A}/{B}.811.webp",
    ],
)
def test_a_foreign_key_names_nothing(foreign: str) -> None:
    assert parse(foreign) is None


@pytest.mark.parametrize(
    "wrong",
    [
        SourceChunk("../../etc", 1, "00ff00ff"),
        SourceChunk(A, 100_000, "00ff00ff"),
        SourceChunk(A, -1, "00ff00ff"),
        SourceChunk(A, 1, "x"),
        Result(A, "", 1, 1),
        Result(A, B, -1, 1),
        VideoThumb(A.upper(), B, 1),
    ],
)
def test_nothing_gets_a_key_that_would_not_read_back(wrong: Named) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        _ = wrong.key


def test_two_claims_of_one_take_never_write_the_same_key() -> None:
    keys = {thing.key for claim in (1, 2) for thing in (Result(A, B, 1, claim), ResultThumb(A, B, 1, claim))}

    assert len(keys) == 4


def test_a_prefix_holds_what_belongs_to_it_and_no_more() -> None:
    other = str(UUID(int=UUID(A).int + 1))

    assert SourceChunk(A, 1, "00ff00ff").key.startswith(of_source(A))
    assert not SourceChunk(other, 1, "00ff00ff").key.startswith(of_source(A))
    assert Result(A, B, 1, 1).key.startswith(of_job(A))
    assert VideoThumb(A, B, 1).key.startswith(of_job(A))
    assert not Result(B, A, 1, 1).key.startswith(of_job(A))
