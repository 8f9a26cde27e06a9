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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from painting import Planes, Shape, blurred, disc, grain, pass_by, photo, view, walk

Draw = Callable[[int], Planes]

KINDS = ("motion", "face", "dark", "text", "animation", "vertical")
SPEECH = "0.3*sin(2*PI*(180+40*sin(4*t))*t)*(0.5+0.5*sin(19*t))+0.1*sin(8300*t)*exp(-6*mod(t,0.5))+0.04*(random(0)-0.5)"
"""A voice, a beat, and a room."""

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
    def shape(self) -> Shape:
        return self.height, self.width

    @property
    def count(self) -> int:
        return round(self.seconds * self.rate)


class Films:
    """Makes each clip once."""

    def __init__(self, folder: Path, ffmpeg: PathLike[str]) -> None:
        self._folder, self._ffmpeg = folder, ffmpeg

    def __call__(self, of: Film) -> Path:
        file = self._folder / f"{of.kind}-{of.width}x{of.height}-{of.seconds}s-{of.rate}-{of.seed}-{of.sound}.mp4"
        return file if file.exists() else film(self._ffmpeg, file, of)


def film(ffmpeg: PathLike[str], file: Path, of: Film, *arguments: str) -> Path:
    """Encoded as a phone does it, H.264 with a key frame a second; `arguments` follow, to have it otherwise."""
    sound = ["-f", "lavfi", "-i", f"aevalsrc='{SPEECH}':s=48000:d={of.seconds}", "-c:a", "aac", "-b:a", "128k"]
    argv = [
        ffmpeg, "-nostdin", "-v", "error", "-y",
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
    grainy = grain(of.shape, np.random.default_rng(of.seed), 2.2)
    return lambda n: grainy(shots[n // cut](n % cut), n)


def _shot(of: Film) -> Draw:
    """One photo under a hand-held camera; three pieces of another pass before it."""
    dice = np.random.default_rng(of.seed)
    ground, other = photo(of.shape, dice), photo(of.shape, dice)
    drift = dice.uniform(-0.06, 0.06, 2)
    zoom, zooming = dice.uniform(1.02, 1.12), dice.uniform(-0.03, 0.03)
    shake = [walk(dice, 0.006), walk(dice, 0.006), walk(dice, 0.03)]
    things = [(dice.uniform(0.07, 0.16), dice.uniform(0, 1, 2), dice.uniform(-0.2, 0.2, 2)) for _ in range(3)]

    def draw(n: int) -> Planes:
        t = n / of.rate
        x, y = (drift[axis] * t + shake[axis](t) for axis in (0, 1))
        seen = view(ground, of.shape, (x, y), zoom + zooming * t)
        for radius, place, speed in things:
            pass_by(seen, other, (place + speed * t) % 1.2 - 0.1, radius)
        bright = np.float32(1 + shake[2](t))
        return seen[0] * bright, seen[1], seen[2]

    return draw


def _face(of: Film) -> Draw:
    dice = np.random.default_rng(of.seed)
    ground = blurred(view(photo(of.shape, dice), of.shape), of.height // 20)
    sway, nod, grainy = walk(dice, 0.004), walk(dice, 0.003), grain(of.shape, dice, 1.6)

    def draw(n: int) -> Planes:
        t = n / of.rate
        seen = tuple(plane.copy() for plane in ground)
        x, y = 0.5 + sway(t), 0.52 + nod(t)
        open_eyes = 0.018 if (t + 0.4) % 1.7 > 0.12 else 0.003
        talking = 0.008 + 0.018 * abs(math.sin(9 * t)) * (math.sin(1.3 * t) > -0.6)
        disc(seen, (x, y + 0.75), (0.42, 0.40), (70, 140, 118))  # shoulders
        disc(seen, (x, y - 0.06), (0.205, 0.34), (45, 122, 136))  # hair
        disc(seen, (x, y), (0.175, 0.29), (168, 112, 150), shade=26)
        for side in (-0.075, 0.075):
            disc(seen, (x + side, y - 0.06), (0.032, open_eyes), (215, 127, 129))
            disc(seen, (x + side, y - 0.06), (0.012, min(0.014, open_eyes)), (38, 132, 128))
            disc(seen, (x + side, y - 0.105), (0.04, 0.008), (60, 122, 136))
        disc(seen, (x, y + 0.14), (0.06, talking), (88, 118, 165))
        return grainy(seen, n)

    return draw


def _dark(of: Film) -> Draw:
    dice = np.random.default_rng(of.seed)
    ground, grainy = photo(of.shape, dice), grain(of.shape, dice, 4)
    shake = [walk(dice, 0.006), walk(dice, 0.006)]
    lamps = [(dice.uniform(0.05, 0.95, 2), dice.uniform(0.008, 0.02)) for _ in range(7)]

    def draw(n: int) -> Planes:
        t = n / of.rate
        x, y = shake[0](t) + 0.02 * t, shake[1](t)
        seen = view(ground, of.shape, (x, y), 1.05)
        dim = (16 + (seen[0] - 16) * np.float32(0.13), *(128 + (plane - 128) * np.float32(0.3) for plane in seen[1:]))
        for place, radius in lamps:
            for wider, level in ((3.0, 60), (1.0, 225)):
                across, down = radius * wider, radius * wider * of.width / of.height
                disc(dim, (place[0] - x, place[1] - y), (across, down), (level, 110, 142))
        return grainy(dim, n)

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
            disc(seen, (x, y), size, colour)
        return seen

    return draw
