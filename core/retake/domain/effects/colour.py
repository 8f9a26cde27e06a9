"""Colour: brightness, contrast, saturation and hue.

ffmpeg's eq truncates brightness to hundredths, so that 0.031 and 0.039 are the same picture: recipes keep hundredths,
and the filter gets a little more, lest 0.03 be read as 0.0299 and become 0.02. A hue below half a degree is not worth
its filter.
"""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Size, Strength, number, within

_INTO_THE_STEP = 0.002
_LEAST_HUE = 0.5


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params:
    hue = within(ranges["hue"], at["hue"], 1)
    return {
        "brightness": within(ranges["brightness"], at["brightness"], 2),
        "contrast": within(ranges["contrast"], at["contrast"]),
        "saturation": within(ranges["saturation"], at["saturation"]),
        "hue": hue if abs(hue) >= _LEAST_HUE else 0.0,
    }


def video(params: Mapping[str, float], _size: Size) -> list[str]:
    brightness = number(params["brightness"] + _INTO_THE_STEP)
    contrast, saturation = number(params["contrast"]), number(params["saturation"])
    filters = [f"eq=brightness={brightness}:contrast={contrast}:saturation={saturation}"]
    if abs(params["hue"]) >= _LEAST_HUE:
        filters.append(f"hue=h={number(params['hue'])}")
    return filters


def _ranges(brightness: float, contrast: float, saturation: float, hue: float) -> Mapping[str, Range]:
    return {
        "brightness": (-brightness, brightness),
        "contrast": (1 - contrast, 1 + contrast),
        "saturation": (1 - saturation, 1 + saturation),
        "hue": (-hue, hue),
    }


COLOUR = Effect(
    "colour",
    _ranges(0.08, 0.12, 0.25, 15),
    {
        Strength.SUBTLE: _ranges(0.02, 0.03, 0.06, 3),
        Strength.MEDIUM: _ranges(0.05, 0.06, 0.12, 8),
        Strength.STRONG: _ranges(0.08, 0.12, 0.25, 15),
    },
    sample,
    video,
    seen=frozenset({"brightness", "contrast", "saturation", "hue"}),
)
