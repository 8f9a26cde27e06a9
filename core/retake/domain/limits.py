"""How large a video may be, and the sentence for each way to be larger."""

from dataclasses import dataclass

from retake.domain.errors import TOO_LARGE, TOO_LONG, TOO_MANY_FRAMES, TOO_SMALL, Failure

SIDE = 16
"""Neither side of a picture may be shorter: below that there is nothing to crop."""


@dataclass(frozen=True)
class Limits:
    pixels: int = 4096 * 2304  # every 4K there is, upright too
    seconds: float = 1800
    frames: int = 216_000  # half an hour at 120 a second
    streams: int = 32


def beyond(limits: Limits, *, width: int, height: int, seconds: float, frames: int) -> Failure | None:
    """What a video is too much of, with its figure beside the limit."""
    if min(width, height) < SIDE:
        return TOO_SMALL.saying(
            f"The picture is only {width} x {height}; each side must have at least {SIDE} pixels."
            " Please export it larger."
        )
    if width * height > limits.pixels:
        return TOO_LARGE.saying(
            f"The picture is {width} x {height}, which is more than 4K; please export it in 4K or smaller."
            if limits.pixels == Limits.pixels
            else f"The picture is {width} x {height}, and at most {limits.pixels:,} pixels are taken;"
            " please export it smaller."
        )
    if seconds > limits.seconds:
        return TOO_LONG.saying(
            f"This video is {minutes(seconds)} long, and at most {minutes(limits.seconds)} are taken; please cut it."
        )
    if frames > limits.frames:
        return TOO_MANY_FRAMES.saying(
            f"This video has {frames:,} frames, and at most {limits.frames:,} are taken;"
            " please cut it, or export it with fewer frames per second."
        )
    return None


def minutes(seconds: float) -> str:
    """As people say it: 42 minutes, 1 h 05 min, 40 seconds."""
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    whole = round(seconds / 60)
    return f"{whole} minutes" if whole < 90 else f"{whole // 60} h {whole % 60:02} min"
