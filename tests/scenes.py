"""Clips that look filmed, made of numbers: for tests and benches that care what a picture shows.

    film(ffmpeg, file, Film("face", 480, 270, seconds=3))

A photo is made of dead leaves: discs of all sizes on top of each other, each with its colour, its shading and its share
of a texture whose detail falls off with frequency. That has the edges and the spectrum of a photograph. A camera that
nobody holds still moves over it, things pass in front of it, exposure drifts, and every frame has grain of its own.

- motion: hand-held, with a cut about every other second, and things that pass by
- face: a head that talks and blinks before something out of focus; hardly anything moves
- dark: next to no light, a few lamps, much grain
- text: pages of letters that scroll
- animation: flat colours, hard edges, no grain
- vertical: as motion, upright (width and height as told, so tell it an upright size)

All is pure in the Film, on one release of numpy. Frames are planes of 8 bits: brightness whole, colours halved.
"""

import math
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Planes = tuple[Plane, Plane, Plane]
Draw = Callable[[int], Planes]
Pair = Sequence[float] | NDArray[np.float64]

KINDS = ("motion", "face", "dark", "text", "animation", "vertical")
SPEECH = "0.3*sin(2*PI*(180+40*sin(4*t))*t)*(0.5+0.5*sin(19*t))+0.1*sin(8300*t)*exp(-6*mod(t,0.5))+0.04*(random(0)-0.5)"
"""A voice, a beat, and a room."""

_MARGIN = 1.3  # how much larger than the frame what a camera moves over is
_BITS_PER_PIXEL = 0.14  # as phones do: 9 Mbit/s at 1080p


@dataclass(frozen=True)
class Film:
    """Width and height are even."""

    kind: str
    width: int = 480
    height: int = 270
    seconds: float = 3
    rate: int = 30
    seed: int = 1
    sound: bool = True

    @property
    def count(self) -> int:
        return round(self.seconds * self.rate)


class Films:
    """Makes each clip once."""

    def __init__(self, folder: Path, ffmpeg: Path) -> None:
        self._folder, self._ffmpeg = folder, ffmpeg

    def __call__(self, of: Film) -> Path:
        file = self._folder / f"{of.kind}-{of.width}x{of.height}-{of.seconds}s-{of.rate}-{of.seed}-{of.sound}.mp4"
        return file if file.exists() else film(self._ffmpeg, file, of)


def film(ffmpeg: Path, file: Path, of: Film, *arguments: str) -> Path:
    """Encoded as a phone does it, H.264 with a key frame a second; `arguments` follow, to have it otherwise."""
    sound = ["-f", "lavfi", "-i", f"aevalsrc='{SPEECH}':s=48000:d={of.seconds}", "-c:a", "aac", "-b:a", "128k"]
    argv = [
        str(ffmpeg), "-nostdin", "-v", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{of.width}x{of.height}", "-r", str(of.rate), "-i", "pipe:0",
        *(sound if of.sound else []),
        "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", str(of.rate), "-threads", "1",
        "-b:v", str(round(_BITS_PER_PIXEL * of.width * of.height * of.rate)), *arguments, str(file),
    ]  # fmt: skip
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for frame in frames(of):
            encoder.stdin.write(frame)
        encoder.stdin.close()
        assert encoder.wait(timeout=120) == 0
    return file


def frames(of: Film) -> Iterator[bytes]:
    """Each as yuv420p."""
    draw = {"motion": _motion, "vertical": _motion, "face": _face, "dark": _dark, "text": _text}.get(
        of.kind, _animation
    )(of)
    for n in range(of.count):
        yield b"".join(np.clip(plane + 0.5, 0, 255).astype(np.uint8).tobytes() for plane in draw(n))


def _motion(of: Film) -> Draw:
    cut = max(1, round(of.rate * 1.9))
    shots = [_shot(replace(of, seed=of.seed * 100 + number)) for number in range(-(-of.count // cut))]
    grain = _grain(of, 2.2)
    return lambda n: grain(shots[n // cut](n % cut), n)


def _shot(of: Film) -> Draw:
    """One photo under a hand-held camera; three pieces of another pass before it."""
    dice = np.random.default_rng(of.seed)
    ground, other = _photo(of, dice), _photo(of, dice)
    drift = dice.uniform(-0.06, 0.06, 2)
    zoom, zooming = dice.uniform(1.02, 1.12), dice.uniform(-0.03, 0.03)
    shake = [_walk(dice, 0.006), _walk(dice, 0.006), _walk(dice, 0.03)]
    things = [(dice.uniform(0.07, 0.16), dice.uniform(0, 1, 2), dice.uniform(-0.2, 0.2, 2)) for _ in range(3)]

    def draw(n: int) -> Planes:
        t = n / of.rate
        x, y = (drift[axis] * t + shake[axis](t) for axis in (0, 1))
        seen = _view(ground, of, x, y, zoom + zooming * t)
        for radius, place, speed in things:
            _pass_by(seen, other, of, (place + speed * t) % 1.2 - 0.1, radius)
        bright = np.float32(1 + shake[2](t))
        return seen[0] * bright, seen[1], seen[2]

    return draw


def _face(of: Film) -> Draw:
    dice = np.random.default_rng(of.seed)
    ground = _blurred(_view(_photo(of, dice), of, 0, 0, 1), of.height // 20)
    sway, nod, grain = _walk(dice, 0.004), _walk(dice, 0.003), _grain(of, 1.6)

    def draw(n: int) -> Planes:
        t = n / of.rate
        seen = tuple(plane.copy() for plane in ground)
        x, y = 0.5 + sway(t), 0.52 + nod(t)
        open_eyes = 0.018 if (t + 0.4) % 1.7 > 0.12 else 0.003
        talking = 0.008 + 0.018 * abs(math.sin(9 * t)) * (math.sin(1.3 * t) > -0.6)
        _disc(seen, (x, y + 0.75), (0.42, 0.40), (70, 140, 118))  # shoulders
        _disc(seen, (x, y - 0.06), (0.205, 0.34), (45, 122, 136))  # hair
        _disc(seen, (x, y), (0.175, 0.29), (168, 112, 150), shade=26)
        for side in (-0.075, 0.075):
            _disc(seen, (x + side, y - 0.06), (0.032, open_eyes), (215, 127, 129))
            _disc(seen, (x + side, y - 0.06), (0.012, min(0.014, open_eyes)), (38, 132, 128))
            _disc(seen, (x + side, y - 0.105), (0.04, 0.008), (60, 122, 136))
        _disc(seen, (x, y + 0.14), (0.06, talking), (88, 118, 165))
        return grain(seen, n)

    return draw


def _dark(of: Film) -> Draw:
    dice = np.random.default_rng(of.seed)
    ground, grain = _photo(of, dice), _grain(of, 4)
    shake = [_walk(dice, 0.006), _walk(dice, 0.006)]
    lamps = [(dice.uniform(0.05, 0.95, 2), dice.uniform(0.008, 0.02)) for _ in range(7)]

    def draw(n: int) -> Planes:
        t = n / of.rate
        x, y = shake[0](t) + 0.02 * t, shake[1](t)
        seen = _view(ground, of, x, y, 1.05)
        dim = (16 + (seen[0] - 16) * np.float32(0.13), *(128 + (plane - 128) * np.float32(0.3) for plane in seen[1:]))
        for place, radius in lamps:
            for wider, level in ((3.0, 60), (1.0, 225)):
                across, down = radius * wider, radius * wider * of.width / of.height
                _disc(dim, (place[0] - x, place[1] - y), (across, down), (level, 110, 142))
        return grain(dim, n)

    return draw


def _text(of: Film) -> Draw:
    """Letters are 5 x 7 dots out of an alphabet of 40; lines of words, a heading now and then."""
    dice = np.random.default_rng(of.seed)
    alphabet = dice.random((40, 7, 5)) < 0.5
    alphabet[:, :, 0] |= alphabet[:, :, 4]
    dot = max(1, of.height // 180)
    paper = np.full((of.height * 2, of.width), 236, np.float32)
    tint = np.full((of.height, of.width // 2), 128, np.float32)
    for top in range(6 * dot, of.height * 2 - 20 * dot, 12 * dot):
        heading = dice.random() < 0.12
        size, left = dot * (1 + heading), 10 * dot
        while left < of.width * (0.5 if heading else dice.uniform(0.82, 0.98)):
            letter = np.kron(alphabet[dice.integers(40)], np.ones((size, size)))[:, : of.width - left]
            area = paper[top : top + 7 * size, left : left + letter.shape[1]]
            area[letter[: len(area)] > 0] = 30
            left += (6 + 5 * (dice.random() < 0.2)) * size
        if heading:
            tint[top // 2 : top // 2 + 4 * size] = 150

    def draw(n: int) -> Planes:
        down = round(0.09 * of.height * n / of.rate) // 2 * 2 % of.height
        half = slice(down // 2, down // 2 + of.height // 2)
        return paper[down : down + of.height], tint[half], 256 - tint[half]

    return draw


def _animation(of: Film) -> Draw:
    dice = np.random.default_rng(of.seed)
    bands = np.repeat(dice.uniform(90, 200, 6), -(-of.height // 6))[: of.height, None]
    ground = np.broadcast_to(bands, (of.height, of.width)).astype(np.float32)
    shapes = [
        (dice.uniform(0.2, 0.8, 2), dice.uniform(0.05, 0.3, 2), dice.uniform(0.4, 2, 2), dice.uniform(0.06, 0.2, 2),
         tuple(dice.uniform((40, 70, 70), (230, 190, 190))))
        for _ in range(7)
    ]  # fmt: skip

    def draw(n: int) -> Planes:
        t = n / of.rate
        half = (of.height // 2, of.width // 2)
        seen = (ground.copy(), np.full(half, 112, np.float32), np.full(half, 140, np.float32))
        for place, reach, speed, size, colour in shapes:
            x, y = place + reach * np.sin(speed * t + place * 9)
            _disc(seen, (x, y), size, colour)
        return seen

    return draw


def _photo(of: Film, dice: np.random.Generator) -> Planes:
    """Dead leaves on a canvas that is larger than the frame."""
    height, width = (math.ceil(side * _MARGIN / 2) * 2 for side in (of.height, of.width))
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
        _disc(canvas, dice.random(2), (radius, tall), colour, shade=dice.uniform(-40, 40))
    canvas[0][:] += _texture((height, width), dice) * np.float32(11)
    return _blurred(canvas, 1)


def _texture(shape: tuple[int, int], dice: np.random.Generator) -> Plane:
    """Noise whose amplitude falls off with frequency; of variance 1."""
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    spectrum = np.fft.rfft2(dice.standard_normal(shape)) / np.maximum(np.hypot(down, across), 1 / max(shape)) ** 0.9
    spectrum[0, 0] = 0
    made = np.fft.irfft2(spectrum, shape)
    return np.asarray(made / made.std(), np.float32)


def _disc(planes: Planes, place: Pair, axes: Pair, colour: Sequence[float], *, shade: float = 0) -> None:
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


def _pass_by(planes: Planes, other: Planes, of: Film, place: Pair, radius: float) -> None:
    """A disc out of another photo."""
    covers: Planes = tuple(np.zeros_like(plane) for plane in planes)  # type: ignore[assignment]
    _disc(covers, place, (radius, radius * of.width / of.height), (1, 1, 1))
    for plane, piece, cover in zip(planes, other, covers, strict=True):
        plane[:] += (piece[: plane.shape[0], : plane.shape[1]] - plane) * cover


def _view(canvas: Planes, of: Film, x: float, y: float, zoom: float) -> Planes:
    """What a camera sees that looks `x`, `y` (shares of the frame) beside the middle; between pixels it takes both."""
    made = []
    for plane in canvas:
        half = 1 if plane is canvas[0] else 2
        seen = plane
        for axis, (length, off) in enumerate(((of.height, y), (of.width, x))):
            count = length // half
            at = (np.arange(count) - (count - 1) / 2) / zoom + (plane.shape[axis] - 1) / 2 + off * count
            at = np.clip(at, 0, plane.shape[axis] - 1.001)
            low = at.astype(int)
            share = (at - low).astype(np.float32).reshape(-1, 1) if axis == 0 else (at - low).astype(np.float32)
            seen = seen.take(low, axis) * (1 - share) + seen.take(low + 1, axis) * share
        made.append(seen)
    return made[0], made[1], made[2]


def _blurred(planes: Planes, times: int) -> Planes:
    """By [1 2 1] in both directions, again and again."""
    made = []
    for plane in planes:
        for _ in range(times):
            for axis in (0, 1):
                before, after = (np.roll(plane, way, axis) for way in (1, -1))
                plane = (before + after) * np.float32(0.25) + plane * np.float32(0.5)  # noqa: PLW2901
        made.append(plane)
    return made[0], made[1], made[2]


def _walk(dice: np.random.Generator, reach: float) -> Callable[[float], float]:
    """A hand that is not quite still: waves of many lengths, the slow ones large."""
    waves = [(rate, dice.uniform(0, 2 * math.pi)) for rate in (0.31, 0.73, 1.37, 2.9, 5.3)]
    return lambda t: reach * sum(math.sin(2 * math.pi * rate * t + phase) / rate**0.7 for rate, phase in waves) / 2


def _grain(of: Film, strength: float) -> Callable[[Planes, int], Planes]:
    """Of each frame its own piece of a larger noise; more of it where it is brighter, none in the colours."""
    dice = np.random.default_rng(of.seed + 77)
    noise = dice.standard_normal((of.height + 64, of.width + 64)).astype(np.float32)
    noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / np.float32(math.sqrt(3))
    places = dice.integers(0, 64, (of.count, 2))

    def grainy(planes: Planes, n: int) -> Planes:
        down, across = places[n]
        piece = noise[down : down + of.height, across : across + of.width]
        much = np.float32(strength * 0.7) + np.float32(strength * 0.5) * np.sqrt(np.clip(planes[0], 0, 255) / 255)
        return planes[0] + piece * much, planes[1], planes[2]

    return grainy
