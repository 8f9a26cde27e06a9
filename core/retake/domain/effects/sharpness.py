"""Sharpness: one of sharpening (above nothing, how much) and blurring (below nothing, how far in pixels)."""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Size, Strength, around, number, within

_LEAST = 0.1  # less is work that nobody sees


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params | None:
    amount = within(ranges["amount"], at["amount"], 2)
    return {"amount": amount} if abs(amount) >= _LEAST else None


def video(params: Mapping[str, float], _size: Size) -> list[str]:
    amount = params["amount"]
    if amount == 0:
        return []
    return [f"unsharp=5:5:{number(amount)}" if amount > 0 else f"gblur=sigma={number(-amount)}"]


SHARPNESS = Effect(
    "sharpness",
    {"amount": (-1.0, 1.0)},
    {
        Strength.SUBTLE: around(0, amount=0.3),
        Strength.MEDIUM: around(0, amount=0.6),
        Strength.STRONG: around(0, amount=1.0),
    },
    sample,
    video,
)
