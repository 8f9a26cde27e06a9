"""`GET /api/options`: what one may ask for here, so that no page and no program has to know it by heart."""

from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import Field

from retake.domain.effects import EFFECTS
from retake.domain.effects.effect import Effect, Range, Strength
from retake.domain.presets import DEFAULT, PRESETS
from retake.domain.recipe import PROFILES
from retake.domain.sniff import ALWAYS
from retake.settings import Storage, Uploads
from retake_api.auth import Gate
from retake_api.creation import MOST_UPLOADS
from retake_api.incoming import MIB
from retake_api.options import FEWEST, MOST, PRIORITIES, USUAL
from retake_api.schemas import Bytes, Shape, said


class OfferedPreset(Shape):
    name: Annotated[str, said(DEFAULT)]
    strength: Annotated[Strength, said(Strength.MEDIUM)]
    effects: Annotated[list[str], said(["zoom", "mirror"])]


class OfferedEffect(Shape):
    name: Annotated[str, said("zoom")]
    bounds: Annotated[dict[str, Range], said({"factor": [1, 1.25]}, "As far as each parameter may go.")]
    ranges: Annotated[
        dict[Strength, dict[str, Range]],
        said({"medium": {"factor": [1.04, 1.12]}}, "What recipes are drawn from, by strength."),
    ]


class Offers(Shape):
    types: Annotated[list[str], said(["mov", "mp4"], "The kinds of video that are taken, told by their bytes.")]
    file_bytes: Annotated[Bytes, said(524288000, "The largest video.")]
    uploads_most: Annotated[int, said(200, "The most videos of a job that are uploaded first.")]
    variations_least: Annotated[int, said(FEWEST, "Of each video.")]
    variations_usual: Annotated[int, said(USUAL)]
    variations_most: Annotated[int, said(MOST)]
    retention_hours: Annotated[float, said(24.0, "How long takes are kept after their job ended.")]
    webhooks: Annotated[bool, Field(examples=[True], description="Whether a job may name a `callbackUrl`.")]
    priorities: Annotated[list[str], said(list(PRIORITIES))]
    profiles: Annotated[list[str], said(list(PROFILES), "The first is the usual one.")]
    preset_usual: Annotated[str, said(DEFAULT)]
    presets: list[OfferedPreset]
    effects: list[OfferedEffect]


def install(app: FastAPI, gate: Gate, limits: Uploads, storage: Storage, *, webhooks: bool) -> None:
    @app.get(
        "/api/options",
        summary="What one may ask for",
        tags=["service"],
        response_model=Offers,
        response_description="Limits, presets, and effects with their ranges.",
        dependencies=[Depends(gate)],
    )
    async def list_options() -> Offers:
        return Offers(
            types=sorted([*ALWAYS, *limits.more_types]),
            file_bytes=limits.file_mib * MIB,
            uploads_most=MOST_UPLOADS,
            variations_least=FEWEST,
            variations_usual=USUAL,
            variations_most=MOST,
            retention_hours=storage.hours,
            webhooks=webhooks,
            priorities=list(PRIORITIES),
            profiles=list(PROFILES),
            preset_usual=DEFAULT,
            presets=[
                OfferedPreset(name=name, strength=strength, effects=list(effects))
                for name, (strength, effects) in PRESETS.items()
            ],
            effects=[_effect(effect) for effect in EFFECTS.values()],
        )


def _effect(effect: Effect) -> OfferedEffect:
    ranges = {
        strength: {name: pair for name, pair in drawn.items() if name in effect.bounds}
        for strength, drawn in effect.ranges.items()
    }
    return OfferedEffect(name=effect.name, bounds=dict(effect.bounds), ranges=ranges)
