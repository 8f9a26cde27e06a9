"""Vignette: darker towards the corners, by the fourth power of the cosine of an angle (radians) that grows with the
distance from the middle."""

import math
from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Size, Strength, everywhere, number


def video(params: Mapping[str, float], _size: Size) -> list[str]:
    return [f"vignette=angle={number(params['angle'])}"] if params["angle"] else []


VIGNETTE = Effect(
    "vignette",
    {"angle": (0, round(math.pi / 4, 3))},
    {
        Strength.SUBTLE: {"angle": (0.2, round(math.pi / 6, 3))},
        Strength.MEDIUM: {"angle": (0.3, round(math.pi / 5, 3))},
        Strength.STRONG: {"angle": (0.4, round(math.pi / 4, 3))},
    },
    everywhere,
    video,
    seen=frozenset({"angle"}),
)
