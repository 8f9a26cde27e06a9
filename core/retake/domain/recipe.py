"""Recipes: plain data that says all of how a take is made.

    {"version": 2, "index": 3, "seed": 7, "preset": "classic",
     "effects": [{"name": "zoom", "params": {"factor": 1.07, "x": 0.31, "y": 0.84}}, ...],
     "output": {"profile": "fast"}}

Effects stand, and are applied, in the order of their table. Recipes of version 1 know only the effects of `classic`;
those mean what they meant.
"""

from collections.abc import Mapping
from typing import Any, TypedDict

from retake.domain.effects.effect import Params
from retake.domain.effects.trim import ends

PROFILES = ("fast", "balanced", "best")
"""How takes are encoded: the more time, the better they look."""

MOST_TAKES = 20
LARGEST_SEED = 2**53 - 1  # what every JSON reader keeps exact


class Step(TypedDict):
    name: str
    params: Params


class Recipe(TypedDict):
    version: int
    index: int
    seed: int
    preset: str
    effects: list[Step]
    output: dict[str, Any]


def params_of(recipe: Mapping[str, Any], effect: str) -> Mapping[str, float] | None:
    """Of an effect that the recipe has."""
    return next((step["params"] for step in recipe["effects"] if step["name"] == effect), None)


def speed_of(recipe: Mapping[str, Any]) -> float:
    """How many times as fast as its source a take is."""
    return (params_of(recipe, "speed") or {}).get("factor", 1.0)


def shown_of(recipe: Mapping[str, Any], seconds: float) -> float:
    """How many seconds of a source of so many are in the take."""
    trimmed = params_of(recipe, "trim")
    if trimmed is None:
        return seconds
    start, end = ends(trimmed, seconds)
    return end - start


def sounding(recipe: Mapping[str, Any], seconds: float, sound: float) -> float:
    """How many seconds the sound of a take has whose source is so long, and its sound; unless something is cut off,
    that may be longer."""
    trimmed = params_of(recipe, "trim")
    start, end = (0.0, sound) if trimmed is None else ends(trimmed, seconds)
    return max(0.0, min(sound, end) - start) / speed_of(recipe)


def lasting(recipe: Mapping[str, Any], seconds: float) -> float:
    """How many seconds a take of such a source has."""
    return shown_of(recipe, seconds) / speed_of(recipe)
