"""What rendering needs to know of a source: from its probe, with what follows for its takes."""

import math
from dataclasses import dataclass, field

from retake.domain.effects.effect import Size, even
from retake.domain.sniff import DEMUXERS, Kind
from retake_worker.probe import MOST_DAMAGED, Colours, Probe

MOST_FPS = 60
_LOOKS, _LOOK_SIDE = 6, 160
_HD_WIDTH, _SD_HEIGHT = 1280, 576
HDR = {16: "smpte2084", 18: "arib-std-b67"}
"""The curves of high dynamic range, by their numbers in files."""
_UNSAID = frozenset({"unknown", "unspecified", "reserved"})
_RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8")

BT709 = Colours("tv", "bt709", "bt709", "bt709")


@dataclass(frozen=True)
class Clip:
    """Width and height are as shown, after rotation. `frames` and `seconds` are what a take of speed 1 has, and of the
    frames some may be missing (`doubtful`). `picture` and `sound` are ffmpeg's numbers of the streams. `colours` are
    those of the source, guessed where it says nothing of them; `surround` is sound of more than two channels."""

    width: int
    height: int
    fps: float
    frames: int
    seconds: float
    sound: int | None
    sound_lasts: float | None = None
    picture: int = 0
    demuxer: str = "mov"
    pixel_aspect: str = "1"
    colours: Colours = field(default=BT709)
    rgb: bool = False
    interlaced: bool = False
    surround: bool = False
    doubtful: int = 0

    @property
    def size(self) -> Size:
        """Of its takes."""
        return Size(even(self.width), even(self.height))

    @property
    def hdr(self) -> bool:
        return self.colours.transfer in HDR.values()

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
        sound_lasts=probe.sound_lasts,
        picture=probe.stream,
        demuxer=DEMUXERS[Kind(probe.container)],
        pixel_aspect=str(probe.pixel_aspect),
        colours=_known(probe),
        rgb=_is_rgb(probe),
        interlaced=probe.interlaced,
        surround=probe.sound is not None and probe.sound.layout not in ("mono", "stereo"),
        doubtful=math.ceil(frames * MOST_DAMAGED) if probe.damaged else 0,
    )


def _is_rgb(probe: Probe) -> bool:
    return probe.pixel_format.startswith(_RGB)


def _known(probe: Probe) -> Colours:
    """What the source does not say is guessed as players do: by its transfer, else by size. RGB is named as what it
    will be turned into."""
    if probe.colours.transfer in HDR.values():
        guess, matrix = "bt2020", "bt2020nc"
    elif max(probe.width, probe.height) >= _HD_WIDTH or min(probe.width, probe.height) > _SD_HEIGHT:
        guess = matrix = "bt709"
    else:
        guess = matrix = "smpte170m"
    said = probe.colours
    return Colours(
        range="tv" if said.range in _UNSAID or _is_rgb(probe) else said.range,
        matrix=matrix if said.matrix in {*_UNSAID, "gbr"} else said.matrix,
        primaries=guess if said.primaries in _UNSAID else said.primaries,
        transfer=guess if said.transfer in _UNSAID else said.transfer,
    )
