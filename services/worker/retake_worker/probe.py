"""What a video is: figures from its index, held against what FFmpeg really decodes of it (probe_command.py).

An exit code of 0 proves nothing: a damaged file gives one too, with fewer frames than its index promises, or with
frames that were made up. There is no ffprobe; what only a decoder knows is read from what FFmpeg writes and says.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from retake.domain.errors import CORRUPT, UNSUPPORTED_CODEC, BadInput
from retake.domain.limits import Limits
from retake_worker.chosen import Chosen, within
from retake_worker.codecs import name_of
from retake_worker.movie import Track
from retake_worker.windows import Window

_DIMENSIONS = re.compile(rb"#dimensions (\d+): (\d+)x(\d+)")
_SAR = re.compile(rb"#sar (\d+): (\d+)/(\d+)")
_RATE = re.compile(rb"#sample_rate \d+: (\d+)")
_LAYOUT = re.compile(rb"#channel_layout_name \d+: (.+)")
_SHOWINFO = re.compile(r"\[Parsed_showinfo_\d+ @ \w+\] (.*)")
_FRAME = re.compile(r"n: *\d+ .*?\bfmt:(\w+).*? i:(\w)")
_COLOURS = re.compile(r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)")
_DAMAGED = re.compile(r"\[.*\] corrupt decoded frame")
_LONGEST_LINE = 4096

_ONLY_DOLBY = UNSUPPORTED_CODEC.saying(
    "The colours of this video are Dolby Vision's own, which is not taken; please export it as HDR10 or without HDR."
)

MOST_DAMAGED = 0.1
"""Of the frames: a video with more is refused."""


@dataclass(frozen=True)
class Sound:
    """`stream` is FFmpeg's number of it, as in `0:{stream}`."""

    stream: int
    codec: str
    rate: int
    layout: str


@dataclass(frozen=True)
class Colours:
    """What the numbers of a picture mean, in FFmpeg's words."""

    range: str = "unknown"
    matrix: str = "unknown"
    primaries: str = "unknown"
    transfer: str = "unknown"


@dataclass(frozen=True)
class Probe:
    """Width and height are of a decoded frame, after rotation; `pixel_aspect` is the shape of its pixels. `frames`,
    `fps` and `duration` are what is shown; `damaged` are those of the frames looked at that were not sound.
    `sound_lasts` is when the sound ends, in seconds from where the picture begins or the sound does, which is first.
    `interlaced` when most of them hold two moments, line by line."""

    container: str
    stream: int
    codec: str
    pixel_format: str
    colours: Colours
    interlaced: bool
    width: int
    height: int
    rotation: int
    pixel_aspect: Fraction
    fps: Fraction
    frames: int
    duration: float
    damaged: int
    sound: Sound | None
    sound_lasts: float | None = None

    @property
    def has_audio(self) -> bool:
        return self.sound is not None

    def to_plain(self) -> dict[str, Any]:
        return {**asdict(self), "pixel_aspect": str(self.pixel_aspect), "fps": str(self.fps)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Probe":
        """Also what the first releases wrote, who of colours knew the transfer only, and took all for whole frames."""
        if "transfer" in plain:
            known = {name: value for name, value in plain.items() if name != "transfer"}
            plain = {**known, "colours": {"transfer": plain["transfer"]}, "interlaced": False}
        sound = plain["sound"]
        exact = {
            "pixel_aspect": Fraction(plain["pixel_aspect"]),
            "fps": Fraction(plain["fps"]),
            "colours": Colours(**plain["colours"]),
        }
        return cls(**{**plain, **exact, "sound": None if sound is None else Sound(**sound)})


class Told:
    """What FFmpeg says while it decodes: of a frame its format and colours, which are of two fields, which made up."""

    def __init__(self) -> None:
        self.pixel_format, self.colours, self.damaged = "unknown", Colours(), 0
        self._frames, self._fields, self._rest = 0, 0, b""

    @property
    def interlaced(self) -> bool:
        return self._fields * 2 > self._frames

    def hear(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[-_LONGEST_LINE:]
        for line in lines:
            text = line.decode(errors="replace")
            if _DAMAGED.match(text):
                self.damaged += 1
            elif (said := _SHOWINFO.match(text)) is not None:
                self._show(said[1])

    def _show(self, said: str) -> None:
        if (frame := _FRAME.match(said)) is not None:
            self.pixel_format = frame[1]
            self._frames += 1
            self._fields += frame[2] in "TB"
        elif (colours := _COLOURS.match(said)) is not None:
            self.colours = Colours(*colours.groups())


def judged(
    chosen: Chosen, stretches: Sequence[Window], decoded: bytes, told: Told, *, container: str, limits: Limits
) -> Probe:
    """The probe, when what was decoded is what the index promises; else BadInput."""
    picture = chosen.picture
    counts = Counter(int(line.split(b",", 1)[0]) for line in decoded.splitlines() if line[:1].isdigit())
    got = [counts[number] for number in range(len(stretches))]
    promised = sum(window.frames for window in stretches)
    if 0 in got or too_few(sum(got) - told.damaged, promised):
        raise BadInput(CORRUPT, f"{got} frames decoded, {told.damaged} of them damaged, {promised} promised")
    shapes = {int(found[1]): (int(found[2]), int(found[3])) for found in _DIMENSIONS.finditer(decoded)}
    if 0 not in shapes:
        raise BadInput(CORRUPT, "frames of no size")
    width, height = shapes[0]
    within(limits, picture, width, height)
    if told.colours.matrix == "ipt-c2":
        raise BadInput(_ONLY_DOLBY, f"{told.colours}")
    return Probe(
        container=container,
        stream=picture.number,
        codec=name_of(picture.codec, picture.object_type),
        pixel_format=told.pixel_format,
        colours=told.colours,
        interlaced=told.interlaced,
        width=width,
        height=height,
        rotation=picture.rotation,
        pixel_aspect=_pixel_aspect(decoded),
        fps=_fps(picture),
        frames=picture.frames,
        duration=round(picture.seconds, 6),
        damaged=told.damaged,
        sound=_sound(chosen.sound, decoded, counts[len(stretches)]),
        sound_lasts=_sound_lasts(chosen),
    )


def too_few(sound: int, promised: int) -> bool:
    """Frames, for the file to be of use; two may be missing for reasons of their own."""
    return sound < promised * (1 - MOST_DAMAGED) - 2


def _pixel_aspect(decoded: bytes) -> Fraction:
    for found in _SAR.finditer(decoded):
        if int(found[1]) == 0 and int(found[2]) and int(found[3]):
            return Fraction(int(found[2]), int(found[3]))
    return Fraction(1)


def _fps(picture: Track) -> Fraction:
    """On average; variable rates come as the nearest fraction that is not absurd."""
    return Fraction(picture.samples.count * picture.timescale, picture.samples.ticks).limit_denominator(1001)


def _sound_lasts(chosen: Chosen) -> float | None:
    if chosen.sound is None:
        return None
    return round(max(0.0, chosen.sound.delay - chosen.picture.delay) + chosen.sound.seconds, 6)


def _sound(track: Track | None, decoded: bytes, frames: int) -> Sound | None:
    if track is None:
        return None
    rate, layout = _RATE.search(decoded), _LAYOUT.search(decoded)
    if not frames or rate is None or layout is None:
        raise BadInput(CORRUPT.saying("The sound of this video is damaged; please export it again and upload that."))
    return Sound(
        track.number, name_of(track.codec, track.object_type), int(rate[1]), layout[1].decode(errors="replace").strip()
    )
