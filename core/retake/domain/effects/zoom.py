"""Zoom with offset: a part of the frame, anywhere in it, scaled back to the whole size."""

from collections.abc import Mapping
from typing import NamedTuple

from retake.domain.effects.effect import Effect, Size, Strength, even, everywhere, scaled

_ANYWHERE = (0.0, 1.0)


class Crop(NamedTuple):
    width: int
    height: int
    x: int
    y: int


def crop(params: Mapping[str, float], size: Size) -> Crop:
    """What is left of the frame; all even."""
    width, height = even(size.width / params["factor"]), even(size.height / params["factor"])
    return Crop(
        width,
        height,
        int((size.width - width) * params["x"]) // 2 * 2,
        int((size.height - height) * params["y"]) // 2 * 2,
    )


def video(params: Mapping[str, float], size: Size) -> list[str]:
    width, height, x, y = crop(params, size)
    return [
        f"crop={width}:{height}:{x}:{y}",
        scaled(size),
    ]


ZOOM = Effect(
    "zoom",
    {"factor": (1.0, 1.25), "x": _ANYWHERE, "y": _ANYWHERE},
    {
        Strength.SUBTLE: {"factor": (1.01, 1.04), "x": _ANYWHERE, "y": _ANYWHERE},
        Strength.MEDIUM: {"factor": (1.04, 1.12), "x": _ANYWHERE, "y": _ANYWHERE},
        Strength.STRONG: {"factor": (1.12, 1.25), "x": _ANYWHERE, "y": _ANYWHERE},
    },
    everywhere,
    video,
    seen=frozenset({"factor", "x", "y"}),
)
