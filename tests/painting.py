"""What filmed clips are painted with (scenes.py): photos of dead leaves, a camera over them, grain."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Planes = tuple[Plane, Plane, Plane]
Shape = tuple[int, int]
"""Height and width."""

Pair = Sequence[float] | NDArray[np.float64]

_MARGIN = 1.3  # how much larger than the frame what a camera moves over is


def photo(shape: Shape, dice: np.random.Generator) -> Planes:
    """Dead leaves on a canvas that is larger than the frame."""
    height, width = (math.ceil(side * _MARGIN / 2) * 2 for side in shape)
    canvas = (
        np.full((height, width), 110, np.float32),
        np.full((height // 2, width // 2), 128, np.float32),
        np.full((height // 2, width // 2), 128, np.float32),
    )
    leaves = 900
    radii = 0.012 / np.sqrt(dice.uniform(0.0006, 1, leaves))  # many small ones, few large ones
    for radius in radii[np.argsort(-radii, kind="stable")[: leaves // 3]].tolist() + radii[leaves // 3 :].tolist():
        colour = (dice.uniform(25, 225), dice.uniform(96, 160), dice.uniform(96, 160))
        tall = radius * dice.uniform(0.6, 1.6) * width / height
        disc(canvas, dice.random(2), (radius, tall), colour, shade=dice.uniform(-40, 40))
    canvas[0][:] += texture((height, width), dice) * np.float32(11)
    return blurred(canvas, 1)


def texture(shape: tuple[int, int], dice: np.random.Generator) -> Plane:
    """Noise whose amplitude falls off with frequency; of variance 1."""
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    spectrum = np.fft.rfft2(dice.standard_normal(shape)) / np.maximum(np.hypot(down, across), 1 / max(shape)) ** 0.9
    spectrum[0, 0] = 0
    made = np.fft.irfft2(spectrum, shape)
    return np.asarray(made / made.std(), np.float32)


def disc(planes: Planes, place: Pair, axes: Pair, colour: Sequence[float], *, shade: float = 0) -> None:
    """Painted over what is there, with an edge one pixel soft. `place` and half `axes` are shares of width and height;
    `shade` is how much brighter its left is than its middle."""
    for plane, level in zip(planes, colour, strict=True):
        height, width = plane.shape
        centre = (place[0] * width, place[1] * height)
        reach = (max(0.5, axes[0] * width), max(0.5, axes[1] * height))
        left, right = (int(np.clip(centre[0] + way * (reach[0] + 1), 0, width)) for way in (-1, 1))
        top, bottom = (int(np.clip(centre[1] + way * (reach[1] + 1), 0, height)) for way in (-1, 1))
        across = (np.arange(left, right, dtype=np.float32) + np.float32(0.5 - centre[0])) / np.float32(reach[0])
        down = (np.arange(top, bottom, dtype=np.float32) + np.float32(0.5 - centre[1])) / np.float32(reach[1])
        inside = np.clip((1 - np.sqrt(across[None] ** 2 + down[:, None] ** 2)) * np.float32(min(reach)), 0, 1)
        area = plane[top:bottom, left:right]
        area += (np.float32(level) - np.float32(shade if plane is planes[0] else 0) * across[None] - area) * inside


def pass_by(planes: Planes, other: Planes, place: Pair, radius: float) -> None:
    """A disc out of another photo."""
    covers: Planes = tuple(np.zeros_like(plane) for plane in planes)  # type: ignore[assignment]
    height, width = planes[0].shape
    disc(covers, place, (radius, radius * width / height), (1, 1, 1))
    for plane, piece, cover in zip(planes, other, covers, strict=True):
        plane[:] += (piece[: plane.shape[0], : plane.shape[1]] - plane) * cover


def view(canvas: Planes, shape: Shape, off: Pair = (0, 0), zoom: float = 1) -> Planes:
    """What a camera sees that looks `off` (x, y, as shares of the frame) beside the middle; between pixels, of both."""
    made = []
    for plane in canvas:
        half = 1 if plane is canvas[0] else 2
        seen = plane
        for axis, (length, beside) in enumerate(zip(shape, reversed(off), strict=True)):
            count = length // half
            at = (np.arange(count) - (count - 1) / 2) / zoom + (plane.shape[axis] - 1) / 2 + beside * count
            at = np.clip(at, 0, plane.shape[axis] - 1.001)
            low = at.astype(int)
            share = (at - low).astype(np.float32).reshape(-1, 1) if axis == 0 else (at - low).astype(np.float32)
            seen = seen.take(low, axis) * (1 - share) + seen.take(low + 1, axis) * share
        made.append(seen)
    return made[0], made[1], made[2]


def blurred(planes: Planes, times: int) -> Planes:
    """By [1 2 1] in both directions, again and again."""
    made = []
    for plane in planes:
        for _ in range(times):
            for axis in (0, 1):
                before, after = (np.roll(plane, way, axis) for way in (1, -1))
                plane = (before + after) * np.float32(0.25) + plane * np.float32(0.5)  # noqa: PLW2901
        made.append(plane)
    return made[0], made[1], made[2]


def walk(dice: np.random.Generator, reach: float) -> Callable[[float], float]:
    """A hand that is not quite still: waves of many lengths, the slow ones large."""
    waves = [(rate, dice.uniform(0, 2 * math.pi)) for rate in (0.31, 0.73, 1.37, 2.9, 5.3)]
    return lambda t: reach * sum(math.sin(2 * math.pi * rate * t + phase) / rate**0.7 for rate, phase in waves) / 2


def grain(shape: Shape, dice: np.random.Generator, strength: float) -> Callable[[Planes, int], Planes]:
    """Of each frame its own piece of a larger noise; more of it where it is brighter, none in the colours."""
    height, width = shape
    noise = dice.standard_normal((height + 64, width + 64)).astype(np.float32)
    noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / np.float32(math.sqrt(3))
    places = dice.integers(0, 64, (256, 2))

    def grainy(planes: Planes, n: int) -> Planes:
        down, across = places[n % 256]
        piece = noise[down : down + height, across : across + width]
        much = np.float32(strength * 0.7) + np.float32(strength * 0.5) * np.sqrt(np.clip(planes[0], 0, 255) / 255)
        return planes[0] + piece * much, planes[1], planes[2]

    return grainy
