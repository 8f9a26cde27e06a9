"""Effects: what each makes of its parameters, and what it must never make."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from retake.domain.effects import EFFECTS, rotate, trim
from retake.domain.effects.effect import Params, Size, Strength

SIZE = Size(1920, 1080)
sides = st.integers(8, 2000).map(lambda half: 2 * half)


def filters(name: str, **params: float) -> list[str]:
    return EFFECTS[name].video(params, SIZE)


def test_zoom_crops_to_even_sides_anywhere_and_scales_back() -> None:
    assert filters("zoom", factor=1.1, x=0.5, y=1.0) == [
        "crop=1744:980:88:100",
        "zscale=1920:1080:filter=bicubic:param_a=0:param_b=0.6",
    ]


def test_zoom_of_the_smallest_frame_still_leaves_a_frame() -> None:
    assert EFFECTS["zoom"].video({"factor": 1.25, "x": 1.0, "y": 1.0}, Size(2, 2))[0] == "crop=2:2:0:0"


def test_brightness_lands_in_the_middle_of_ffmpegs_step() -> None:
    assert filters("colour", brightness=-0.03, contrast=1.05, saturation=0.9, hue=4.0) == [
        "eq=brightness=-0.028:contrast=1.05:saturation=0.9",
        "hue=h=4",
    ]


def test_a_hue_nobody_sees_costs_no_filter() -> None:
    assert filters("colour", brightness=0.0, contrast=1.0, saturation=1.0, hue=-0.4) == [
        "eq=brightness=0.002:contrast=1:saturation=1"
    ]


def test_noise_names_its_seed() -> None:
    assert filters("noise", strength=5, seed=2147483646) == ["noise=alls=5:allf=t+u:all_seed=2147483646"]


def test_speed_moves_picture_and_sound_alike() -> None:
    assert EFFECTS["speed"].times({"factor": 1.04}, 10) == ["setpts=PTS/1.04"]
    assert EFFECTS["speed"].audio({"factor": 1.04}, 10) == ["dcshift=0.004", "atempo=1.04", "dcshift=-0.004"]


def test_a_speed_of_exactly_one_does_nothing() -> None:
    assert EFFECTS["speed"].times({"factor": 1.0}, 10) == []
    assert EFFECTS["speed"].audio({"factor": 1.0}, 10) == []


@pytest.mark.parametrize("strength", list(Strength))
@pytest.mark.parametrize("place", [0.0, 0.25, 0.4999, 0.5, 0.75, 0.9999])
def test_speed_keeps_out_of_its_gap_and_within_its_range(strength: Strength, place: float) -> None:
    ranges = EFFECTS["speed"].ranges[strength]

    params = EFFECTS["speed"].sample(ranges, {"factor": place})

    assert params is not None
    assert ranges["factor"][0] <= params["factor"] <= ranges["factor"][1]
    assert not 0.99 <= params["factor"] <= 1.01


def test_mirror_flips_what_is_on_its_side() -> None:
    assert filters("mirror") == ["hflip"]
    assert EFFECTS["mirror"].sample({}, {"on": 0.0}) is None


def test_rotate_turns_what_is_shown_only_and_scales_it_back() -> None:
    assert filters("rotate", degrees=-1.5) == [
        "rotate=-0.02618:ow=1832:oh=1030",
        "zscale=1920:1080:filter=bicubic:param_a=0:param_b=0.6",
    ]
    assert filters("rotate", degrees=0) == []


def test_border_is_of_one_colour_and_a_share_of_the_shorter_side() -> None:
    assert filters("border", width=0.04, red=255, green=128, blue=0) == [
        "drawbox=x=0:y=0:w=iw:h=ih:t=42:color=0xff8000"
    ]
    assert filters("border", width=0, red=255, green=128, blue=0) == []


def test_vignette_names_its_angle() -> None:
    assert filters("vignette", angle=0.628) == ["vignette=angle=0.628"]
    assert filters("vignette", angle=0) == []


def test_sharpness_sharpens_or_blurs() -> None:
    assert filters("sharpness", amount=0.6) == ["unsharp=5:5:0.6"]
    assert filters("sharpness", amount=-0.6) == ["gblur=sigma=0.6"]
    assert filters("sharpness", amount=0) == []


def test_trim_takes_picture_and_sound_from_the_same_places() -> None:
    params = {"head": 0.25, "tail": 0.5}

    assert EFFECTS["trim"].times(params, 60) == ["trim=start=0.25:end=59.5", "setpts=PTS-0.25/TB"]
    assert EFFECTS["trim"].audio(params, 60) == ["atrim=start=0.25:end=59.5", "asetpts=PTS-0.25/TB"]
    assert EFFECTS["trim"].times({"head": 0, "tail": 0}, 60) == []


def test_audio_changes_gain_and_tilt_and_never_cuts_peaks_off() -> None:
    limiter = "alimiter=limit=0.97:level=false:latency=true"

    assert EFFECTS["audio"].audio({"gain": 1.5, "tilt": -2.0}, 10) == [
        "volume=1.5dB",
        "bass=g=1",
        "treble=g=-1",
        limiter,
    ]
    assert EFFECTS["audio"].audio({"gain": -3, "tilt": 0}, 10) == ["volume=-3dB", limiter]
    assert EFFECTS["audio"].audio({"gain": 0, "tilt": 0}, 10) == []


@given(st.floats(-3, 3), sides, sides)
def test_what_rotate_shows_lies_within_the_picture(degrees: float, width: int, height: int) -> None:
    """The corners of what is shown, turned back into the frame, which is no mere stripe."""
    assume(max(width, height) <= 20 * min(width, height))

    shown, angle = rotate.inside({"degrees": degrees}, Size(width, height)), math.radians(abs(degrees))

    across = shown.width * math.cos(angle) + shown.height * math.sin(angle)
    down = shown.height * math.cos(angle) + shown.width * math.sin(angle)
    assert across <= width
    assert down <= height
    assert shown.width % 2 == shown.height % 2 == 0


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.04, 1800))
def test_trim_never_takes_more_than_a_twentieth(head: float, tail: float, seconds: float) -> None:
    start, end = trim.ends({"head": head, "tail": tail}, seconds)

    assert 0 <= start <= end <= seconds
    assert end - start >= seconds * 0.95 - 1e-9


@pytest.mark.parametrize("name", EFFECTS)
@given(data=st.data())
def test_parameters_within_bounds_make_filters_of_plain_numbers(name: str, data: st.DataObject) -> None:
    effect = EFFECTS[name]
    params: Params = {
        parameter: data.draw(st.integers(int(low), int(high)) if parameter in effect.whole else st.floats(low, high))
        for parameter, (low, high) in effect.bounds.items()
    }

    made = [
        *effect.video(params, Size(data.draw(sides), data.draw(sides))),
        *effect.times(params, 10.0),
        *effect.audio(params, 10.0),
    ]

    assert not [text for text in made if "nan" in text or "inf" in text or "e-" in text or " " in text or ";" in text]


@pytest.mark.parametrize("name", EFFECTS)
def test_the_ranges_of_every_strength_lie_within_the_bounds(name: str) -> None:
    effect = EFFECTS[name]

    for strength in Strength:
        for parameter, (low, high) in effect.ranges[strength].items():
            if parameter in effect.bounds:
                assert effect.bounds[parameter][0] <= low <= high <= effect.bounds[parameter][1]


@pytest.mark.parametrize("name", EFFECTS)
@given(data=st.data())
def test_any_ranges_that_may_be_asked_for_can_be_sampled(name: str, data: st.DataObject) -> None:
    effect = EFFECTS[name]
    ranges, at = {}, {}
    for parameter, default in effect.ranges[Strength.MEDIUM].items():
        bounds = effect.bounds.get(parameter, default)
        low, high = sorted(data.draw(st.tuples(st.floats(*bounds), st.floats(*bounds))))
        ranges[parameter], at[parameter] = (low, high), data.draw(st.floats(0, 1, exclude_max=True))

    params = effect.sample(ranges, at)

    if params is not None:
        assert effect.complaint(params) is None
        for parameter, (low, high) in effect.bounds.items():
            assert low - 0.006 <= params[parameter] <= high + 0.006
