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


def _no_picture(_params: Mapping[str, float], _size: Size) -> list[str]:
    return []


def _no_time(_params: Mapping[str, float], _seconds: float) -> list[str]:
    return []


def _no_complaint(_params: Mapping[str, float]) -> str | None:
    return None


@dataclass(frozen=True)
class Effect:
    """`bounds` are of the parameters in a recipe: what anybody may ask for. `ranges` are what plans draw from.

    `sample` gets a place from 0 to 1 in the range of each parameter; None means that this take goes without it.
    `video` changes pictures, each for itself; `times` changes when they are shown, and gets how many seconds the source
    has, as `audio` does.
    """

    name: str
    bounds: Mapping[str, Range]
    ranges: Mapping[Strength, Mapping[str, Range]]
    sample: Callable[[Mapping[str, Range], Mapping[str, float]], Params | None]
    video: Callable[[Mapping[str, float], Size], list[str]] = _no_picture
    times: Callable[[Mapping[str, float], float], list[str]] = _no_time
    audio: Callable[[Mapping[str, float], float], list[str]] = _no_time
    complaint: Callable[[Mapping[str, float]], str | None] = _no_complaint  # about what bounds cannot say
    whole: frozenset[str] = field(default=frozenset())  # parameters that are whole numbers
    seen: frozenset[str] = field(default=frozenset())  # parameters by which two takes look different
    alternates: bool = False  # every other take has it


def within(bounds: Range, place: float, decimals: int = 3) -> float:
    """The value at a place from 0 to 1, as short as people like to read it."""
    low, high = bounds
    return round(low + (high - low) * place, decimals) + 0.0  # which makes nothing of a negative nothing


def everywhere(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params:
    """The plainest sampler: each parameter at its place."""
    return {name: within(bounds, at[name]) for name, bounds in ranges.items()}


def around(middle: float, **reach: float) -> Mapping[str, Range]:
    """The same way up and down."""
    return {name: (middle - most, middle + most) for name, most in reach.items()}


def number(value: float) -> str:
    """As ffmpeg reads it; never in powers of ten."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def even(length: float) -> int:
    """Downwards: frames with halved colour planes have even sides."""
    return max(2, int(length) // 2 * 2)


def scaled(size: Size) -> str:
    """To the whole size. zscale with these two figures gives the picture that scale's bicubic gives (59 dB apart), for
    a third less time."""
    return f"zscale={size.width}:{size.height}:filter=bicubic:param_a=0:param_b=0.6"
