import pytest
from hypothesis import given
from hypothesis import strategies as st

from retake_api.segments import Content, Layout, Segment, Stored, end_to_end

OBJECTS = {"a": bytes(range(100)), "b": bytes(range(100, 200))}
contents = st.one_of(
    st.binary(max_size=20),
    st.tuples(st.sampled_from("ab"), st.integers(0, 50), st.integers(0, 50)),
)


def laid(parts: list[bytes | tuple[str, int, int]]) -> Layout:
    told: list[tuple[int, Content]] = [
        (len(part), part) if isinstance(part, bytes) else (part[2], Stored(part[0], part[1])) for part in parts
    ]
    return end_to_end(told)


def written(segments: list[Segment]) -> bytes:
    return b"".join(
        one.content
        if isinstance(one.content, bytes)
        else OBJECTS[one.content.key][one.content.offset : one.content.offset + one.size]
        for one in segments
    )


@given(st.lists(contents, max_size=6), st.data())
def test_any_cut_is_a_slice_of_the_whole(parts: list[bytes | tuple[str, int, int]], data: st.DataObject) -> None:
    layout = laid(parts)
    whole = written(list(layout.segments))
    first = data.draw(st.integers(0, layout.size))
    last = data.draw(st.integers(first - 1, layout.size - 1)) if layout.size else -1

    cut = list(layout.cut(first, last))

    assert layout.size == len(whole)
    assert written(cut) == whole[first : last + 1]
    assert all(segment.size > 0 for segment in cut)
    assert sum(segment.size for segment in cut) == last + 1 - first if first <= last else not cut


def test_the_same_contents_have_the_same_tag_and_others_another() -> None:
    layouts = [
        laid([b"x", ("a", 0, 10)]),
        laid([b"y", ("a", 0, 10)]),
        laid([b"x", ("b", 0, 10)]),
        laid([b"x", ("a", 1, 10)]),
        laid([b"x", ("a", 0, 11)]),
        laid([b"xa", ("a", 0, 10)]),
    ]

    assert laid([b"x", ("a", 0, 10)]).etag == layouts[0].etag
    assert len({layout.etag for layout in layouts}) == len(layouts)
    assert all(layout.etag.startswith('"') for layout in layouts)


@pytest.mark.parametrize("parts", [[], [b""], [("a", 0, 0)]])
def test_nothing_laid_out_has_no_segment(parts: list[bytes | tuple[str, int, int]]) -> None:
    assert laid(parts) == Layout((), 0)
