"""What POST /api/jobs takes and answers, field by field (schemas.py)."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from retake.domain.states import State
from retake_api.schemas import Bytes, Name, Shape, said


class JobForm(Shape):
    videos: list[Annotated[str, Field(json_schema_extra={"format": "binary"})]]
    variations: Annotated[
        float | str,
        Field(default=5, description="Takes of each video: clamped to 1..20 and truncated; 5 when left out or empty."),
    ]
    options: Annotated[
        str,
        Field(
            default="{}",
            examples=['{"name": "spring", "seed": 7}'],
            description="A JSON object: `name`; `seed`, a whole number; `priority`, low, normal or high (which needs "
            "the scope admin); `keepSource`, true to keep the videos for more takes until the job expires; "
            "`callbackUrl`, an address to be told at what happens (signed by Standard Webhooks); "
            "and of what takes look like `preset`, `effects`, `recipes` and `profile`.",
        ),
    ]


class EarlierFile(Shape):
    job_id: UUID
    file_id: UUID


class JobOfEarlier(Shape):
    """Of `uploads` or of `from_files`."""

    uploads: Annotated[
        list[UUID] | None,
        Field(
            default=None,
            min_length=1,
            max_length=200,
            examples=[["7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11"]],
            description="Finished uploads; each can be used by one job.",
        ),
    ]
    from_files: Annotated[
        list[EarlierFile] | None,
        Field(
            default=None,
            min_length=1,
            max_length=200,
            examples=[None],
            description="Instead: files of earlier jobs whose bytes are still kept. They are not copied.",
        ),
    ]
    variations: Annotated[float | str | None, Field(default=5, description="As in a form.")]
    options: Annotated[
        dict[str, Any], Field(default={}, examples=[{"name": "spring", "seed": 7}], description="As in a form.")
    ]


class AcceptedFile(Shape):
    id: UUID
    name: Name
    size: Bytes


class AcceptedJob(Shape):
    job_id: UUID
    status: Annotated[State, said(State.QUEUED)]
    files: list[AcceptedFile]
    variations_per_video: int
    total_variations: int
    status_url: Annotated[str, said("/api/jobs/7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11", "Also in `Location`.")]
