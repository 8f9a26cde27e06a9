import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retake.bus.messages import Malformed, PartAnnounced, ProgressTick, VariationFrames, message_id, read, write


def test_a_message_reads_as_it_was_written() -> None:
    part = PartAnnounced(part_id="1", generation=3, kind="render", job_id="j", video_id="v", traceparent="00-a-b-01")
    frames = [VariationFrames(index=2, done=30, due=120)]
    tick = ProgressTick(workspace_id="w", job_id="j", part_id="1", claim=2**40, variations=frames, percent=12.5)

    assert read(write(part), PartAnnounced()) == part
    assert read(write(tick), ProgressTick()) == tick


def test_on_the_wire_it_is_json_with_every_field_named() -> None:
    part = PartAnnounced(part_id="1", kind="inspect")

    assert json.loads(write(part)) == {
        "partId": "1",
        "generation": 0,
        "kind": "inspect",
        "jobId": "",
        "videoId": "",
    }


def test_fields_of_a_newer_release_are_ignored() -> None:
    newer = b'{"partId": "1", "generation": 2, "hurry": {"level": [1, 2]}, "kind": "dream"}'

    part = read(newer, PartAnnounced())

    assert (part.part_id, part.generation, part.kind) == ("1", 2, "dream")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"3",
        b"[]",
        b"{}",
        b'{"partId": "1"',
        b'{"partId": 3}',
        b'{"partId": ""}',
        b'{"partId": "p1"}',
        b'{"partId": "-1"}',
        b'{"partId": "9223372036854775808"}',
        b'{"partId": "../etc"}',
        b'{"partId": "1\\n"}',
        b'{"partId": "1", "generation": -1}',
        b'{"partId": "\\ud800"}',
        b"[" * 8000,
    ],
)
def test_what_names_no_part_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data, PartAnnounced())


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.builds(json.dumps, st.dictionaries(
    st.sampled_from(["partId", "generation", "kind", "traceparent", "x"]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists),
)).map(str.encode))  # fmt: skip
def test_anything_else_than_a_message_is_malformed_and_nothing_worse(data: bytes) -> None:
    try:
        part = read(data, PartAnnounced())
    except Malformed:
        return

    assert read(write(part), PartAnnounced()) == part


def test_a_message_has_one_id_per_generation() -> None:
    first, again = PartAnnounced(part_id="1", generation=1), PartAnnounced(part_id="1", generation=2)

    assert message_id(first) == "1:1"
    assert message_id(again) == "1:2"
