"""Speed: picture and sound together, the pitch kept. Within a hundredth of 1 it would be work that nobody notices.

ffmpeg's atempo joins pieces where they are most alike. In silence all places are equally so, and it takes the earliest,
so that what follows a pause comes 20 ms early. A constant that is added before and taken away after makes it keep time.
"""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Size, Strength, number

_CONSTANT = 0.004  # of full scale: no peak is cut by more than 0.04 dB
_SLOWER, _FASTER = 0.989, 1.011


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params:
    """The two sides of the gap share the places as they share the range."""
    low, high = ranges["factor"]
    below, above = max(0.0, _SLOWER - low), max(0.0, high - _FASTER)
    along = at["factor"] * (below + above)
    return {"factor": round(low + along if along < below else max(low, _FASTER) + along - below, 3)}


def video(params: Mapping[str, float], _size: Size) -> list[str]:
    return [] if params["factor"] == 1 else [f"setpts=PTS/{number(params['factor'])}"]


def audio(params: Mapping[str, float]) -> list[str]:
    if params["factor"] == 1:
        return []
    return [f"dcshift={_CONSTANT}", f"atempo={number(params['factor'])}", f"dcshift=-{_CONSTANT}"]


SPEED = Effect(
    "speed",
    {
        Strength.SUBTLE: {"factor": (0.98, 1.02)},
        Strength.MEDIUM: {"factor": (0.95, 1.06)},
        Strength.STRONG: {"factor": (0.90, 1.12)},
    },
    sample,
    video,
    audio,
)
