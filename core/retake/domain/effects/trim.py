"""Trim: seconds off the beginning (head) and the end (tail), of picture and sound alike; never more than a twentieth of
the whole, however short that is."""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Range, Strength, everywhere, number

MOST = 0.05


def ends(params: Mapping[str, float], seconds: float) -> Range:
    """From when to when a source of so many seconds is shown."""
    head, tail = params["head"], params["tail"]
    share = min(1.0, MOST * seconds / (head + tail)) if head + tail else 0.0
    return head * share, seconds - tail * share


def times(params: Mapping[str, float], seconds: float) -> list[str]:
    return _cut(params, seconds, "trim", "setpts")


def audio(params: Mapping[str, float], seconds: float) -> list[str]:
    return _cut(params, seconds, "atrim", "asetpts")


def _cut(params: Mapping[str, float], seconds: float, cut: str, shift: str) -> list[str]:
    start, end = ends(params, seconds)
    if (start, end) == (0, seconds):
        return []
    return [f"{cut}=start={number(start)}:end={number(end)}", f"{shift}=PTS-{number(start)}/TB"]


def _ranges(most: float) -> Mapping[str, Range]:
    return {"head": (0, most), "tail": (0, most)}


TRIM = Effect(
    "trim",
    _ranges(1.0),
    {Strength.SUBTLE: _ranges(0.1), Strength.MEDIUM: _ranges(0.4), Strength.STRONG: _ranges(1.0)},
    everywhere,
    times=times,
    audio=audio,
)
