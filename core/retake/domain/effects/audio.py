"""Audio: louder or softer (gain), darker or brighter (tilt: off the bass and onto the treble), both in decibels.

A limiter keeps what becomes louder from being cut off."""

from collections.abc import Mapping

from retake.domain.effects.effect import Effect, Params, Range, Strength, number, within

_LIMITER = "alimiter=limit=0.97:level=false:latency=true"


def sample(ranges: Mapping[str, Range], at: Mapping[str, float]) -> Params:
    return {name: within(bounds, at[name], 1) for name, bounds in ranges.items()}


def audio(params: Mapping[str, float], _seconds: float) -> list[str]:
    gain, tilt = params["gain"], params["tilt"]
    filters = [f"volume={number(gain)}dB"] if gain else []
    if tilt:
        filters += [f"bass=g={number(-tilt / 2)}", f"treble=g={number(tilt / 2)}"]
    return [*filters, _LIMITER] if filters else []


def _ranges(gain: float, tilt: float) -> Mapping[str, Range]:
    return {"gain": (-gain, gain), "tilt": (-tilt, tilt)}


AUDIO = Effect(
    "audio",
    _ranges(3, 4),
    {Strength.SUBTLE: _ranges(0.5, 1), Strength.MEDIUM: _ranges(1.5, 2), Strength.STRONG: _ranges(3, 4)},
    sample,
    audio=audio,
)
