"""Mirror: left and right change places, text included, in every other take."""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Size, Strength


def sample(_ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params | None:
    return {} if at["on"] >= 0.5 else None


def video(_params: Mapping[str, float], _size: Size) -> list[str]:
    return ["hflip"]


MIRROR = Effect(
    "mirror",
    {},
    {strength: {"on": (0.0, 1.0)} for strength in Strength},
    sample,
    video,
    seen=frozenset({"on"}),
    alternates=True,
)
