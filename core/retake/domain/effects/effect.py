"""What an effect is: how far its parameters may go, how a point of the plan becomes parameters, and filter text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Range = tuple[float, float]
Params = dict[str, float]
"""Whole numbers stay whole: they come back from JSON as they went in."""


class Strength(StrEnum):
    SUBTLE = "subtle"
    MEDIUM = "medium"
    STRONG = "strong"


@dataclass(frozen=True)
class Size:
    """Of the frames an effect works on; both are even."""

    width: int
    height: int


def no_audio(_params: Mapping[str, float]) -> list[str]:
    return []


@dataclass(frozen=True)
class Effect:
    """`sample` gets a place from 0 to 1 in the range of each parameter; None means that this take goes without it."""

    name: str
    ranges: Mapping[Strength, Mapping[str, Range]]
    sample: Callable[[Mapping[str, Range], Mapping[str, float]], Params | None]
    video: Callable[[Mapping[str, float], Size], list[str]]
    audio: Callable[[Mapping[str, float]], list[str]] = no_audio
    seen: frozenset[str] = field(default=frozenset())  # parameters by which two takes look different
    alternates: bool = False  # every other take has it


def within(bounds: Range, place: float, decimals: int = 3) -> float:
    """The value at a place from 0 to 1, as short as people like to read it."""
    low, high = bounds
    return round(low + (high - low) * place, decimals) + 0.0  # which makes nothing of a negative nothing


def number(value: float) -> str:
    """As ffmpeg reads it; never in powers of ten."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def even(length: float) -> int:
    """Downwards: frames with halved colour planes have even sides."""
    return max(2, int(length) // 2 * 2)
