"""What a worker is given and what it gives back: plain data between the store and the worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

RECIPE_VERSION = 2
"""The newest recipe and pipeline version this release can work on."""


class PartKind(StrEnum):
    INSPECT = "inspect"
    RENDER = "render"


@dataclass(frozen=True)
class Claim:
    """A part that is ours while its lease lives. `number` fences every write."""

    part: int
    number: int
    kind: PartKind
    job: UUID
    video: UUID
    failures: int
    traceparent: str | None = None  # what its spans are below


@dataclass(frozen=True)
class ChunkPlace:
    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Take:
    """One variation that is still to be rendered."""

    index: int
    recipe: Mapping[str, Any]


@dataclass(frozen=True)
class Work:
    """All a worker needs to know to do a part."""

    name: str
    source: UUID
    size: int
    chunks: Sequence[ChunkPlace]
    variations: int
    seed: int
    options: Mapping[str, Any]
    probe: Mapping[str, Any] | None
    takes: Sequence[Take]
    recipes: Sequence[Mapping[str, Any]] = ()  # of all takes of the video


@dataclass(frozen=True)
class Planned:
    """A variation as inspect plans it: its recipe, the bytes it may need, and the CPU seconds it may cost."""

    index: int
    recipe: Mapping[str, Any]
    reserve: int
    cost: float


@dataclass(frozen=True)
class Plan:
    probe: Mapping[str, Any]
    sha256: str
    variations: Sequence[Planned]
    thumb_key: str | None = None
    distinct: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Rendered:
    """A finished take: its object is stored; these are its facts."""

    index: int
    key: str
    size: int
    crc32: int
    sha256: str
    duration: float | None = None
    distance: Mapping[str, Any] | None = None
    thumb_key: str | None = None
    engine: str | None = None


SLICE_SECONDS = 60.0
SLICE_TAKES = 5


def slices(variations: Sequence[Planned]) -> list[list[int]]:
    """Render parts by cost only: about 60 CPU seconds or one take each, at most 5 takes."""
    cut: list[list[int]] = []
    spent = 0.0
    for variation in variations:
        if not cut or len(cut[-1]) == SLICE_TAKES or spent + variation.cost > SLICE_SECONDS:
            cut.append([])
            spent = 0.0
        cut[-1].append(variation.index)
        spent += variation.cost
    return cut
