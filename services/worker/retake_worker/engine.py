"""What gives a recipe its bytes: a build of FFmpeg, an encoder, and our own command lines. Pure.

Takes are tuned, measured and tested with libx264. Another encoder is asked for about the same, gives other bytes, and
is therefore part of the fingerprint that is stored with each take.
"""

import re
from dataclasses import dataclass

X264 = "libx264"
OLDEST, NEWEST = (5, 1), (9,)
"""Releases of FFmpeg that are known to work."""

CLOCK = 90_000
"""Ticks a second, of filters: a source may count in whole frames, too coarse to be a little faster."""

_VERSION = re.compile(r"ffmpeg version (?P<words>n?(?P<major>\d+)\.(?P<minor>\d+)\S*|\S+)")
_NVENC = {"ultrafast": "p1", "superfast": "p3", "veryfast": "p5"}
_NAMED_TIME_BASE = (6, 1)


@dataclass(frozen=True)
class Engine:
    encoder: str = X264
    version: tuple[int, ...] = NEWEST
    fingerprint: str = ""

    @property
    def time_base(self) -> str:
        """What -enc_time_base is to be, so that the encoder counts as the filters do."""
        return "filter" if self.version >= _NAMED_TIME_BASE else f"1:{CLOCK}"


STANDARD = Engine()


def version_in(told: str) -> tuple[str, tuple[int, ...]]:
    """Of what `ffmpeg -version` tells: its words, and the numbers; none for a build between releases."""
    found = _VERSION.search(told)
    if found is None:
        return "unknown", ()
    return found["words"], (int(found["major"]), int(found["minor"])) if found["major"] else ()


def is_known(version: tuple[int, ...]) -> bool:
    return version >= OLDEST and version[:1] <= NEWEST


def encoding(encoder: str, *, preset: str, crf: int, maxrate: int, bufsize: int, x264: str) -> list[str]:
    """Its arguments for a profile, which is written down in the words of x264."""
    capped = ["-maxrate", str(maxrate), "-bufsize", str(bufsize)]
    match encoder:
        case "h264_nvenc":
            quality = ["-preset", _NVENC.get(preset, "p5"), "-rc", "vbr", "-cq", str(crf), *capped]
        case "h264_qsv":
            quality = ["-preset", "veryfast", "-global_quality", str(crf), *capped]
        case "libopenh264":
            quality = ["-rc_mode", "bitrate", "-b:v", str(maxrate)]
        case _:
            quality = ["-preset", preset, "-crf", str(crf), *capped, "-x264-params", x264]
    return ["-c:v", encoder, *quality, "-threads", "1"]
