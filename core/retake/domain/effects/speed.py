"""Speed: picture and sound together, the pitch kept. Within a hundredth of 1 it would be work that nobody notices.

ffmpeg's atempo joins pieces where they are most alike. In silence all places are equally so, and it takes the earliest,
so that what follows a pause comes 20 ms early. A constant that is added before and taken away after makes it keep time.
"""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Strength, number

_CONSTANT = 0.004  # of full scale: no peak is cut by more than 0.04 dB
_SLOWER, _FASTER = 0.989, 1.011


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params:
    """The two sides of the gap share the places as they share the range; with nothing on either side it is 1."""
    low, high = ranges["factor"]
    below, above = max(0.0, min(high, _SLOWER) - low), max(0.0, high - max(low, _FASTER))
    if low == high and complaint({"factor": low}) is None:
        return {"factor": low}
    if below + above == 0:
        return {"factor": 1.0}
    along = at["factor"] * (below + above)
    return {"factor": round(low + along if along < below else max(low, _FASTER) + along - below, 3)}


def complaint(params: Mapping[str, float]) -> str | None:
    if 0.99 <= params["factor"] <= 1.01 and params["factor"] != 1:
        return "is between 0.99 and 1.01, where nobody would notice it; take exactly 1, or more or less"
    return None


def times(params: Mapping[str, float], _seconds: float) -> list[str]:
    return [] if params["factor"] == 1 else [f"setpts=PTS/{number(params['factor'])}"]


def audio(params: Mapping[str, float], _seconds: float) -> list[str]:
    if params["factor"] == 1:
        return []
    return [f"dcshift={_CONSTANT}", f"atempo={number(params['factor'])}", f"dcshift=-{_CONSTANT}"]


SPEED = Effect(
    "speed",
    {"factor": (0.90, 1.12)},
    {
        Strength.SUBTLE: {"factor": (0.98, 1.02)},
        Strength.MEDIUM: {"factor": (0.95, 1.06)},
        Strength.STRONG: {"factor": (0.90, 1.12)},
    },
    sample,
    times=times,
    audio=audio,
    complaint=complaint,
)
