"""Presets: which effects takes are made with, and how strong, when nobody says more."""

from collections.abc import Mapping

from retake.domain.effects import EFFECTS
from retake.domain.effects.effect import Range, Strength

Ranges = Mapping[str, Mapping[str, Range]]
"""What plans draw from: of each effect, in the order of the table, the range of each parameter."""

DEFAULT = "classic"
_EVERY = tuple(name for name in EFFECTS if name != "border")

PRESETS: Mapping[str, tuple[Strength, tuple[str, ...]]] = {
    "classic": (Strength.MEDIUM, ("zoom", "mirror", "colour", "noise", "speed")),
    "subtle": (Strength.SUBTLE, tuple(name for name in _EVERY if name != "mirror")),
    "medium": (Strength.MEDIUM, _EVERY),
    "strong": (Strength.STRONG, _EVERY),
    "colour-only": (Strength.MEDIUM, ("colour",)),
    "geometry-only": (Strength.MEDIUM, ("zoom", "rotate", "mirror")),
}


def ranges_of(
    preset: str, include: frozenset[str] = frozenset(), exclude: frozenset[str] = frozenset(), own: Ranges | None = None
) -> Ranges:
    """A preset with what was added (as strong as its others), left out, and given ranges of its own."""
    strength, names = PRESETS[preset]
    return {
        name: {**EFFECTS[name].ranges[strength], **(own or {}).get(name, {})}
        for name in EFFECTS
        if (name in names or name in include) and name not in exclude
    }
