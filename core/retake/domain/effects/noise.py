"""Noise: grain that moves. Its seed stands in the recipe, or the same recipe would not give the same bytes."""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Size, Strength, number, within

_SEEDS = (0, 2**31 - 1)


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params:
    return {"strength": int(within(ranges["strength"], at["strength"], 0)), "seed": int(_SEEDS[1] * at["seed"])}


def video(params: Mapping[str, float], _size: Size) -> list[str]:
    return [f"noise=alls={number(params['strength'])}:allf=t+u:all_seed={number(params['seed'])}"]


NOISE = Effect(
    "noise",
    {"strength": (0, 14), "seed": _SEEDS},
    {
        Strength.SUBTLE: {"strength": (2, 4), "seed": _SEEDS},
        Strength.MEDIUM: {"strength": (4, 8), "seed": _SEEDS},
        Strength.STRONG: {"strength": (8, 14), "seed": _SEEDS},
    },
    sample,
    video,
    whole=frozenset({"strength", "seed"}),
)
