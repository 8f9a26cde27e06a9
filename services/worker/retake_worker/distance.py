"""How different two takes look: a few figures, never one.

- `structure`: in how many of 256 bits their perceptual hashes differ, from 0 to about 128, the lesser of both
  orientations; `mirrored` says that it was the other one's mirror image that was more alike.
- `look`: `ssim`, of structure in detail (1 is the same), and `dyuv`, the mean difference of brightness and colour on a
  grid of 16 x 9 fields (0 is the same). Two takes are near when both say so.
- `time`: how many times as long as the other. It is told, and never counts as a difference.

Compared are the small frames that a run keeps of each take (ffmpeg_command.py), the same ones of the source in each, as
they go to the encoder. What encoding adds makes takes a little less alike, so that a difference which is found here is
there in the files as well.

Imported only where something is compared: numpy takes 60 ms and 16 MB.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retake.domain.distinct import Pair
from retake.domain.effects.effect import Size

Planes = NDArray[np.float32]
"""Frames x (Y, U, V) x height x width, from 0 to 255."""

NEAR_SSIM, NEAR_DYUV = 0.985, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_HASHED, _KEPT = 64, 16  # of a frame of 64 x 64 the 16 x 16 lowest frequencies


@dataclass(frozen=True)
class Difference:
    """Between two takes."""

    structure: float
    ssim: float
    dyuv: float
    mirrored: bool

    @property
    def near(self) -> bool:
        return self.ssim > NEAR_SSIM and self.dyuv < NEAR_DYUV

    def data(self, time: float) -> dict[str, Any]:
        return {
            "structure": round(self.structure, 1),
            "look": {"ssim": round(self.ssim, 4), "dyuv": round(self.dyuv, 2)},
            "time": round(time, 3),
            "mirrored": self.mirrored,
            "near": self.near,
        }


class Frames:
    """What is compared of one take: brightness with its local means and variances, the grid of colours, and hashes.
    The grid is what most pairs are told apart by; the rest is computed when it is asked for."""

    def __init__(self, planes: Planes) -> None:
        self.count = len(planes)
        self.y = planes[:, 0]
        height, width = planes.shape[-2:]
        down, across = (9, 16) if width >= height else (16, 9)
        self.grid = averaging(height, down) @ planes @ averaging(width, across).T

    @cached_property
    def mean(self) -> Planes:
        return _windows(self.y)

    @cached_property
    def variance(self) -> Planes:
        return _windows(self.y * self.y) - self.mean**2

    @cached_property
    def hashes(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Of the frames, and of their mirror images."""
        height, width = self.y.shape[-2:]
        squares = np.asarray(averaging(height, _HASHED) @ self.y @ averaging(width, _HASHED).T, np.float32)
        return _hashes(squares), _hashes(squares[..., ::-1])


def read_frames(file: Path, size: Size) -> Frames:
    planes = np.fromfile(file, np.uint8).astype(np.float32)
    return Frames(planes.reshape(-1, 3, size.height, size.width))


def read_stacked(file: Path, size: Size, count: int) -> list[Frames]:
    """Of takes whose frames are one below the other."""
    planes = np.fromfile(file, np.uint8).astype(np.float32).reshape(-1, 3, count, size.height, size.width)
    return [Frames(planes[:, :, number]) for number in range(count)]


def compare(one: Frames, other: Frames) -> Difference:
    """Frame by frame, and the mean over all."""
    if one.count != other.count or one.count == 0:
        raise ValueError(f"{one.count} and {other.count} frames cannot be compared")
    straight, mirrored = (_bits(one.hashes[0], hashes) for hashes in other.hashes)
    return Difference(min(straight, mirrored), ssim(one, other), dyuv(one, other), mirrored < straight)


def ssim(one: Frames, other: Frames) -> float:
    covariance = _windows(one.y * other.y) - one.mean * other.mean
    alike = (2 * one.mean * other.mean + _C1) * (2 * covariance + _C2)
    at_most = (one.mean**2 + other.mean**2 + _C1) * (one.variance + other.variance + _C2)
    return float((alike / at_most).mean())


def dyuv(one: Frames, other: Frames) -> float:
    return float(np.abs(one.grid - other.grid).mean())


def differences(looks: Mapping[int, Frames]) -> dict[Pair, Difference]:
    """Of every pair; 0 is the source."""
    return {(one, other): compare(looks[one], looks[other]) for one, other in combinations(sorted(looks), 2)}


def near_pairs(pairs: Mapping[Pair, Difference]) -> list[Pair]:
    return [pair for pair, difference in pairs.items() if difference.near]


def distances(
    pairs: Mapping[Pair, Difference], takes: Iterable[int], lasting: Mapping[int, float]
) -> dict[int, dict[str, Any]]:
    """Of each of these takes: how it differs from the source, and from the take that is most like it."""

    def told(take: int, other: int) -> dict[str, Any]:
        return pairs[min(take, other), max(take, other)].data(lasting[take] / lasting[other])

    measured: dict[int, dict[str, Any]] = {}
    for take in takes:
        others = {sum(pair) - take: one for pair, one in pairs.items() if take in pair and 0 not in pair}
        nearest = max(others, key=lambda other: (others[other].ssim, -others[other].dyuv), default=None)
        measured[take] = {"source": told(take, 0)}
        if nearest is not None:
            measured[take]["nearest"] = {"index": nearest, **told(take, nearest)}
    return measured


def _windows(values: Planes) -> Planes:
    """Means of 8 x 8 windows, each 4 further than the last: sums of 4 x 4 blocks first, then of 2 x 2 of those."""
    height, width = values.shape[-2] // 4, values.shape[-1] // 4
    blocks = values[..., : height * 4, : width * 4].reshape(*values.shape[:-2], height, 4, width, 4).sum(axis=(-3, -1))
    sums = blocks[..., :-1, :-1] + blocks[..., 1:, :-1] + blocks[..., :-1, 1:] + blocks[..., 1:, 1:]
    return np.asarray(sums / 64, np.float32)


def _hashes(squares: Planes) -> NDArray[np.uint8]:
    """Of each frame which of its low frequencies are above their median."""
    waves = _waves()
    low = (waves @ squares @ waves.T).reshape(len(squares), _KEPT * _KEPT)
    return np.packbits(low > np.median(low, axis=1, keepdims=True), axis=1)


def _bits(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.bitwise_count(one ^ other).sum(axis=1).mean())


@cache
def _waves() -> Planes:
    """The rows of a discrete cosine transform, without the mean."""
    frequencies, places = np.arange(1, _KEPT + 1)[:, None], np.arange(_HASHED)[None]
    return np.cos(np.pi * (2 * places + 1) * frequencies / (2 * _HASHED)).astype(np.float32)


@cache
def averaging(length: int, fields: int, start: float = 0, stretch: float | None = None) -> Planes:
    """The matrix that turns `length` samples into the means of equal fields of them all, or of a stretch of them from
    `start` on; a field may begin and end within a sample."""
    step = (length if stretch is None else stretch) / fields
    edges = start + step * np.arange(fields + 1)
    samples = np.arange(length)[None]
    shared = np.minimum(edges[1:, None], samples + 1) - np.maximum(edges[:-1, None], samples)
    return np.asarray(np.clip(shared, 0, None) / step, np.float32)
