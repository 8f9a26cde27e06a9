from dataclasses import replace
from fractions import Fraction

from retake_worker.clip import BT709
from retake_worker.estimate import cpu_seconds, most_bytes
from retake_worker.probe import Probe, Sound
from worker.cooking import recipe

HD = Probe(
    container="mp4", stream=0, codec="h264", pixel_format="yuv420p", colours=BT709, interlaced=False,
    width=1920, height=1080, rotation=0, pixel_aspect=Fraction(1), fps=Fraction(30), frames=1800, duration=60.0,
    damaged=0, sound=Sound(1, "aac", 48000, "stereo"),
)  # fmt: skip
MEBIBYTE = 2**20
PLAIN = recipe(zoom={"factor": 1.1, "x": 0, "y": 0})


def test_a_take_of_a_small_file_is_promised_a_tenth_more_than_that() -> None:
    assert most_bytes(HD, MEBIBYTE, 60, "fast") == int(1.1 * MEBIBYTE)


def test_a_take_of_a_large_file_is_promised_what_the_bit_rate_allows() -> None:
    promised = most_bytes(HD, 1000 * MEBIBYTE, 60, "fast")

    assert 60 * (2_300_000 + 128_000) / 8 < promised < 1.1 * 60 * (2_300_000 + 128_000) / 8


def test_a_slower_take_is_promised_more() -> None:
    assert most_bytes(HD, 1000 * MEBIBYTE, 60 / 0.9, "fast") > 1.1 * most_bytes(HD, 1000 * MEBIBYTE, 60, "fast")


def test_a_larger_picture_is_promised_more_and_a_smaller_one_is_not_promised_less() -> None:
    large, small = replace(HD, width=3840, height=2160), replace(HD, width=640, height=360)

    assert most_bytes(large, 1000 * MEBIBYTE, 60, "fast") > 3 * most_bytes(HD, 1000 * MEBIBYTE, 60, "fast")
    assert most_bytes(small, 1000 * MEBIBYTE, 60, "fast") == most_bytes(HD, 1000 * MEBIBYTE, 60, "fast")


def test_cost_grows_with_pixels_and_frames_up_to_the_rate_that_takes_have() -> None:
    doubled = replace(HD, frames=3600, fps=Fraction(60))
    faster = replace(HD, frames=7200, fps=Fraction(120))

    assert 20 < cpu_seconds(HD, PLAIN) < 40
    assert 1.8 < cpu_seconds(doubled, PLAIN) / cpu_seconds(HD, PLAIN) < 2
    assert cpu_seconds(faster, PLAIN) == cpu_seconds(doubled, PLAIN)
    assert cpu_seconds(replace(HD, width=960, height=540), PLAIN) < cpu_seconds(HD, PLAIN) / 3


def test_better_profiles_are_promised_more_and_cost_more() -> None:
    costs, promises = zip(
        *(
            (cpu_seconds(HD, {**PLAIN, "output": {"profile": name}}), most_bytes(HD, 1000 * MEBIBYTE, 60, name))
            for name in ("fast", "balanced", "best")
        ),
        strict=True,
    )

    assert list(costs) == sorted(set(costs))
    assert list(promises) == sorted(set(promises))


def test_turning_pictures_costs_more_than_all_the_rest() -> None:
    turned = recipe(rotate={"degrees": 1})

    assert cpu_seconds(HD, turned) > 2 * cpu_seconds(HD, PLAIN)
