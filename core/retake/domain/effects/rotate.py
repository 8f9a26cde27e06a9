"""Rotate: a little, clockwise, without the corners that would show nothing: of the turned picture the largest part of
the frame's shape that is all picture, scaled back to the whole size."""

import math
from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Size, Strength, even, number, scaled, within

_LEAST = 0.1  # degrees; less is the dearest way to change nothing
_EDGE = 2  # pixels that are half picture, half nothing


def inside(params: Mapping[str, float], size: Size) -> Size:
    """How much of the turned picture is shown."""
    angle = math.radians(abs(params["degrees"]))
    longer = max(size.width / size.height, size.height / size.width)
    share = 1 / (math.cos(angle) + longer * math.sin(angle))
    return Size(even(size.width * share - _EDGE), even(size.height * share - _EDGE))


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params | None:
    degrees = within(ranges["degrees"], at["degrees"], 2)
    return {"degrees": degrees} if abs(degrees) >= _LEAST else None


def video(params: Mapping[str, float], size: Size) -> list[str]:
    if params["degrees"] == 0:
        return []
    shown = inside(params, size)
    return [
        f"rotate={number(math.radians(params['degrees']))}:ow={shown.width}:oh={shown.height}",
        scaled(size),
    ]


ROTATE = Effect(
    "rotate",
    {"degrees": (-3, 3)},
    {
        Strength.SUBTLE: {"degrees": (-0.5, 0.5)},
        Strength.MEDIUM: {"degrees": (-1.5, 1.5)},
        Strength.STRONG: {"degrees": (-3, 3)},
    },
    sample,
    video,
    seen=frozenset({"degrees"}),
)
