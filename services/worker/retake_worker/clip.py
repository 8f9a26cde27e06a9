"""What rendering needs to know of a source: from its probe, with what follows for its takes."""

import math
from dataclasses import dataclass

from retake.domain.effects.effect import Size, even
from retake.domain.sniff import DEMUXERS, Kind
from retake_worker.probe import MOST_DAMAGED, Probe

MOST_FPS = 60
_LOOKS, _LOOK_SIDE = 6, 160
_HD_WIDTH, _SD_HEIGHT = 1280, 576


@dataclass(frozen=True)
class Clip:
    """Width and height are as shown, after rotation. `frames` and `seconds` are what a take of speed 1 has, and of the
    frames some may be missing (`doubtful`). `picture` and `sound` are ffmpeg's numbers of the streams. `colours` are
    named where the source says nothing of them."""

    width: int
    height: int
    fps: float
    frames: int
    seconds: float
    sound: int | None
    picture: int = 0
    demuxer: str = "mov"
    pixel_aspect: str = "1"
    colours: str | None = None
    doubtful: int = 0

    @property
    def size(self) -> Size:
        """Of its takes."""
        return Size(even(self.width), even(self.height))

    @property
    def look_size(self) -> Size:
        """Of the small frames by which takes are compared: 160 pixels along the longer side."""
        scale = _LOOK_SIDE / max(self.size.width, self.size.height)
        return Size(max(16, even(self.size.width * scale)), max(16, even(self.size.height * scale)))

    @property
    def look_positions(self) -> list[int]:
        """Which frames these are, spread over the whole."""
        return sorted({int((n + 0.5) * self.frames / _LOOKS) for n in range(_LOOKS)})


def clip_of(probe: Probe) -> Clip:
    frames = probe.frames if probe.fps <= MOST_FPS else max(1, round(probe.duration * MOST_FPS))
    return Clip(
        width=probe.width,
        height=probe.height,
        fps=float(probe.fps),
        frames=frames,
        seconds=probe.duration,
        sound=None if probe.sound is None else probe.sound.stream,
        picture=probe.stream,
        demuxer=DEMUXERS[Kind(probe.container)],
        pixel_aspect=str(probe.pixel_aspect),
        colours=_guessed(probe.width, probe.height) if probe.transfer == "unknown" else None,
        doubtful=math.ceil(frames * MOST_DAMAGED) if probe.damaged else 0,
    )


def _guessed(width: int, height: int) -> str:
    """As players guess when nothing is said: by size."""
    return "bt709" if max(width, height) >= _HD_WIDTH or min(width, height) > _SD_HEIGHT else "smpte170m"
