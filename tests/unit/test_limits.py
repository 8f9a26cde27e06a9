from typing import Any

import pytest

from retake.domain.limits import Limits, beyond, minutes

FINE = {"width": 1920, "height": 1080, "seconds": 60.0, "frames": 1800}


def judged(limits: Limits, **changed: Any) -> Any:
    return beyond(limits, **{**FINE, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"width": 3840, "height": 2160},
        {"width": 2160, "height": 3840},
        {"width": 4096, "height": 2160},
        {"width": 16, "height": 16},
        {"seconds": 1800.0},
        {"frames": 216_000},
    ],
)
def test_what_is_just_within_every_limit_is_taken(changed: dict[str, Any]) -> None:
    assert judged(Limits(), **changed) is None


@pytest.mark.parametrize(
    ("changed", "code", "figure"),
    [
        ({"width": 7680, "height": 4320}, "too_large", "7680 x 4320"),
        ({"width": 4320, "height": 7680}, "too_large", "4320 x 7680"),
        ({"width": 4097, "height": 2304}, "too_large", "4097 x 2304"),
        ({"width": 15}, "too_small", "15 x 1080"),
        ({"height": 15}, "too_small", "1920 x 15"),
        ({"seconds": 1800.1}, "too_long", "30 minutes"),
        ({"seconds": 6 * 3600.0}, "too_long", "6 h 00 min"),
        ({"frames": 216_001}, "too_many_frames", "216,001"),
    ],
)
def test_one_more_is_refused_with_its_figure(changed: dict[str, Any], code: str, figure: str) -> None:
    failure = judged(Limits(), **changed)

    assert failure.code == code
    assert figure in failure.sentence
    assert failure.final


def test_another_limit_is_told_instead_of_4k() -> None:
    failure = judged(Limits(pixels=1280 * 720))

    assert "921,600" in failure.sentence
    assert "4K" not in failure.sentence


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40 seconds"), (119.6, "120 seconds"), (2520, "42 minutes"), (3900, "65 minutes"),
                           (5400, "1 h 30 min"), (21600, "6 h 00 min")]
)  # fmt: skip
def test_durations_are_told_as_people_say_them(seconds: float, words: str) -> None:
    assert minutes(seconds) == words
