"""Where a video is looked at before it is taken: all of it when it is small, else a few stretches from begin to end.

Each stretch begins at a frame that needs no other, so that nothing has to be decoded before it. How many frames each
must give is known from the index.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from retake_worker.movie import Track
from retake_worker.samples import Samples, stamps

PIXELS = 50_000_000
"""Decoded in all, about a fifth of a second of CPU: 24 frames of 1080p. What is damaged between is heard of while takes
are made."""

FRAMES = 3000
STRETCHES = 5
_LEAST = 4


@dataclass(frozen=True)
class Window:
    """`start` is in seconds of media time; None is the very first frame."""

    start: float | None
    frames: int


def windows(track: Track) -> list[Window]:
    samples = track.samples
    affordable = max(_LEAST * STRETCHES, min(FRAMES, PIXELS // (track.width * track.height)))
    starts = _starts(samples)
    if samples.count <= affordable or len(starts) == 1:
        return [Window(None, min(samples.count, affordable))]
    each = affordable // len(starts)
    times = stamps(samples)
    frame = samples.ticks / samples.count
    found = [Window(None, min(each, samples.count))]
    for number in starts[1:]:
        ticks = frame * number if times is None else times[number]
        seconds = (ticks + frame / 2) / track.timescale  # a little late: the search is for the last one before it
        found.append(Window(seconds, min(each, samples.count - number)))
    return found


def _starts(samples: Samples) -> list[int]:
    """The first sample, the last that can be sought, and some between: for each wish the nearest before it."""
    sync = samples.starts()
    wishes = [samples.count * step // (STRETCHES - 1) for step in range(1, STRETCHES)]
    return sorted({0, *(_before(sync, wish) for wish in wishes)})


def _before(sync: Sequence[int], wish: int) -> int:
    place = bisect_right(sync, wish)
    return sync[place - 1] if place else 0
