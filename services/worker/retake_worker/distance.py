"""How different two takes look: two figures, never one.

`ssim` compares structure, on the small frames that a run keeps of each take (ffmpeg_command.py); 1 is the same. `dyuv`
is the mean difference of brightness and colour on a grid of 16 x 9 fields; 0 is the same. Two takes are near when both
say so. The frames are the same ones of the source in each, so that speed is no difference here.

They are taken as they go to the encoder. What encoding adds makes takes a little less alike, so that a difference which
is found here is there in the files as well.

Imported only where something is compared: numpy takes 60 ms and 16 MB.
"""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retake.domain.effects.effect import Size

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # it reads this when it is loaded; two threads would save nothing

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

NEAR_SSIM, NEAR_DYUV = 0.985, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Look:
    """The difference between two takes."""

    ssim: float
    dyuv: float

    @property
    def near(self) -> bool:
        return self.ssim > NEAR_SSIM and self.dyuv < NEAR_DYUV

    def data(self) -> dict[str, float]:
        return {"ssim": round(self.ssim, 4), "dyuv": round(self.dyuv, 2)}


class Frames:
    """What is compared of one take: brightness with its local means and variances, and the grid of colours."""

    def __init__(self, planes: Planes) -> None:
        """`planes` is frames x (Y, U, V) x height x width, from 0 to 255."""
        self.count = len(planes)
        self.y = planes[:, 0]
        self.mean = _windows(self.y)
        self.variance = _windows(self.y * self.y) - self.mean**2
        height, width = planes.shape[-2:]
        down, across = (9, 16) if width >= height else (16, 9)
        self.grid = _averaging(height, down) @ planes @ _averaging(width, across).T


def read_frames(file: Path, size: Size) -> Frames:
    planes = np.fromfile(file, np.uint8).astype(np.float32)
    return Frames(planes.reshape(-1, 3, size.height, size.width))


def compare(one: Frames, other: Frames) -> Look:
    """Frame by frame, and the mean over all."""
    if one.count != other.count or one.count == 0:
        raise ValueError(f"{one.count} and {other.count} frames cannot be compared")
    covariance = _windows(one.y * other.y) - one.mean * other.mean
    alike = (2 * one.mean * other.mean + _C1) * (2 * covariance + _C2)
    at_most = (one.mean**2 + other.mean**2 + _C1) * (one.variance + other.variance + _C2)
    return Look(ssim=float((alike / at_most).mean()), dyuv=float(np.abs(one.grid - other.grid).mean()))


def distances(looks: dict[int, Frames]) -> dict[int, dict[str, Any]]:
    """Of each take: how it differs from the source, which is number 0, and from the take that is most like it."""
    takes = [index for index in looks if index]
    pairs = {(one, other): compare(looks[one], looks[other]) for one in takes for other in takes if one < other}
    measured: dict[int, dict[str, Any]] = {}
    for take in takes:
        others = {sum(pair) - take: look for pair, look in pairs.items() if take in pair}
        nearest = max(others, key=lambda other: (others[other].ssim, -others[other].dyuv), default=None)
        measured[take] = {"source": compare(looks[0], looks[take]).data()}
        if nearest is not None:
            measured[take]["nearest"] = {"index": nearest, **others[nearest].data()}
    return measured


def _windows(values: Planes) -> Planes:
    """Means of 8 x 8 windows, each 4 further than the last: sums of 4 x 4 blocks first, then of 2 x 2 of those."""
    height, width = values.shape[-2] // 4, values.shape[-1] // 4
    blocks = values[..., : height * 4, : width * 4].reshape(*values.shape[:-2], height, 4, width, 4).sum(axis=(-3, -1))
    sums = blocks[..., :-1, :-1] + blocks[..., 1:, :-1] + blocks[..., :-1, 1:] + blocks[..., 1:, 1:]
    return np.asarray(sums / 64, np.float32)


def _averaging(length: int, fields: int) -> Planes:
    """The matrix that turns `length` samples into the means of equal fields; a field may end within a sample."""
    matrix = np.zeros((fields, length), np.float32)
    step = length / fields
    for field in range(fields):
        start, end = field * step, (field + 1) * step
        for sample in range(int(start), min(length, math.ceil(end))):
            matrix[field, sample] = (min(end, sample + 1) - max(start, sample)) / step
    return matrix
