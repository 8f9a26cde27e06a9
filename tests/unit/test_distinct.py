"""What people are told of how far takes were kept apart."""

import pytest

from retake.domain.distinct import Pair, shown, told


def test_a_job_without_a_plan_tells_nothing() -> None:
    assert shown([]) is None


def test_a_job_whose_takes_all_differ_has_no_note() -> None:
    videos = [told([], 5, measured=False), told([], 5, measured=True)]

    assert shown(videos) == {"near_pairs": 0, "kept": True, "note": None}


@pytest.mark.parametrize(
    ("pairs", "begins"),
    [
        ([(3, 7)], "1 pair of takes look"),
        ([(1, 2), (3, 7)], "2 pairs of takes look"),
        ([(0, 7)], "1 take and the source look"),
        ([(0, 7), (0, 1), (1, 7)], "1 pair of takes and 2 takes and the source look"),
    ],
)
def test_near_pairs_are_told_in_a_sentence(pairs: list[Pair], begins: str) -> None:
    found = shown([told(pairs, 9, measured=True)])

    assert found is not None
    assert (found["near_pairs"], found["kept"]) == (len(pairs), False)
    assert found["note"].startswith(begins)
