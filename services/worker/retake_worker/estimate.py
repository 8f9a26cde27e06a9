"""What a take may need before it is made: bytes that are promised to it, CPU seconds that parts are cut by."""

from collections.abc import Mapping
from typing import Any

from retake_worker.clip import MOST_FPS
from retake_worker.ffmpeg_command import PROFILES
from retake_worker.probe import Probe

_FULL_HD = 1920 * 1080
_MORE_THAN_SOURCE = 1.1
_SOUND_BITS = 128_000
_OVERHEAD = 1.05

# Measured on a 2 GHz core, of which a take has: filters and encoder per frame of 1080p, and its share of the decoder.
_FRAME_SECONDS: Mapping[str, float] = {"fast": 0.0135, "balanced": 0.019, "best": 0.031}
_DEAR_EFFECTS: Mapping[str, float] = {"rotate": 0.027, "sharpness": 0.008, "vignette": 0.006}
_SOUND_SECONDS = 0.02  # for each second of sound
_START_SECONDS = 0.2


def most_bytes(probe: Probe, size: int, lasts: float, profile: str) -> int:
    """A take that lasts so many seconds is hardly ever larger than its source, and never than the bit rate allows."""
    rate = PROFILES[profile].maxrate * max(1.0, probe.width * probe.height / _FULL_HD)
    if probe.sound is not None:
        rate += _SOUND_BITS
    return int(min(_MORE_THAN_SOURCE * size, _OVERHEAD * rate / 8 * (1 + lasts)))


def cpu_seconds(probe: Probe, recipe: Mapping[str, Any]) -> float:
    frames = min(probe.frames, probe.duration * MOST_FPS)
    each = _FRAME_SECONDS[recipe["output"]["profile"]]
    each += sum(_DEAR_EFFECTS.get(step["name"], 0.0) for step in recipe["effects"])
    pictures = frames * probe.width * probe.height / _FULL_HD * each
    return _START_SECONDS + pictures + (probe.duration * _SOUND_SECONDS if probe.sound is not None else 0)
