"""What the service says of jobs, field by field. camelCase on the wire, times in RFC 3339 and UTC.

`error` is one sentence for people, `error_code` what programs tell it by; as in problem documents. The examples of the
fields make those of the OpenAPI document; a text that could say anything needs one.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.alias_generators import to_camel

from retake.domain.states import State, VariationState, Wish


def said(example: Any, what: str | None = None) -> Any:
    """A field with its example, and with words where its name does not say it all."""
    return Field(examples=[example], description=what)


_FILE = "/api/jobs/7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11/files/c1f3c1de-6a8e-4b7a-8f0b-5a0a4c1b9d27"

JobId = Annotated[str, Path(examples=["7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11"], description="The `jobId` of a job.")]
FileId = Annotated[
    str, Path(examples=["c1f3c1de-6a8e-4b7a-8f0b-5a0a4c1b9d27"], description="The `id` of one of its files.")
]
UploadId = Annotated[str, Path(examples=["0b8f3c52-4a51-4f7e-9d2b-6a1c0e7d5f90"], description="The `id` of an upload.")]
Name = Annotated[str, said("holiday.mp4")]
Bytes = Annotated[int, said(48213377, "In bytes.")]
Seconds = Annotated[float, said(12.48, "In seconds.")]
Share = Annotated[float, said(0.417, "From 0 to 1; only a retry lowers it.")]
Sentence = Annotated[str | None, said(None, "One sentence for people, when something went wrong.")]
Code = Annotated[str | None, said(None, "The same for programs, in snake_case.")]
Reason = Annotated[str | None, said(None, "Why it expired: age, space or deleted.")]
Kept = Annotated[bool, Field(examples=[False], description="It does not go for want of room; its time still runs.")]
Moment = Annotated[datetime | None, said("2026-03-01T12:04:31Z")]
Thumbnail = Annotated[str | None, said(f"{_FILE}/thumbnail", "Of a picture, once there is one.")]
Kind = Annotated[str, said("variations")]
Status = Annotated[State, said(State.PROCESSING)]


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class LogIn(Shape):
    password: Annotated[str, said("the shared password")]


class Session(Shape):
    token: Annotated[str, said("VYq3...")]
    expires_at: datetime


class Link(Shape):
    url: Annotated[
        str, said("https://retake.example/api/jobs/7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11/download?link=MTc3...")
    ]
    expires_at: datetime


class Health(Shape):
    status: Annotated[str, said("ok", "ok, or degraded.")]
    version: Annotated[str, said("0.1.0")]
    parts: Annotated[
        dict[str, str], said({"postgres": "ok", "storage": "ok", "queue": "ok"}, "Each part is ok or down.")
    ]
    error: Annotated[str | None, Field(default=None, examples=[None], description="Said when one is down.")]


class UploadBegun(Shape):
    id: UUID
    offset: Annotated[int, said(0, "How many bytes are stored.")]
    length: Bytes
    expires_at: datetime


_APART = {"structure": 63.0, "look": {"ssim": 0.34, "dyuv": 7.3}, "time": 1.03, "mirrored": False, "near": False}


class Variation(Shape):
    index: int
    status: Annotated[str, said(VariationState.COMPLETED, "queued, processing, completed, failed or cancelled.")]
    progress: Share
    size: Bytes | None
    duration: Seconds | None
    distance: Annotated[dict[str, Any] | None, said({"source": _APART}, "From its source, and the take most like it.")]
    url: Annotated[str | None, said(f"{_FILE}/variations/1", "Of its bytes, once it is completed.")]
    thumbnail_url: Annotated[str | None, said(f"{_FILE}/variations/1/thumbnail")]
    error: Sentence
    error_code: Code


class VariationWithRecipe(Variation):
    recipe: Annotated[
        dict[str, Any],
        said(
            {
                "version": 2,
                "index": 1,
                "seed": 7,
                "preset": "classic",
                "effects": [{"name": "zoom", "params": {"factor": 1.07, "x": 0.31, "y": 0.84}}],
                "output": {"profile": "fast"},
            },
            "All of how it was made; the same recipe, source and engine give the same bytes again.",
        ),
    ]
    engine: Annotated[
        str | None,
        said("ffmpeg 9.0.2 0d709a0bed1a x86_64 libx264 pipeline 1", "What it was made by, once it is completed."),
    ]


class Distinct(Shape):
    """Whether all takes of a video differ from each other and from their source, as planned, then as measured."""

    near_pairs: Annotated[int, said(0, "Pairs, among the takes and with the source, that look nearly the same.")]
    kept: Annotated[bool, Field(examples=[True], description="There are none.")]
    note: Annotated[str | None, said(None, "One sentence for people, when there are some.")]


class File(Shape):
    """One video of a job."""

    id: UUID
    name: Name
    size: Bytes
    status: Status
    progress: Share
    sha256: Annotated[str | None, said("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    source_kept: Annotated[
        bool, Field(examples=[True], description="Its bytes are there, so there can be more takes of it.")
    ]
    retriable: Annotated[
        bool,
        Field(examples=[False], description="Something of it failed or was cancelled, and may come out next time."),
    ]
    duration: Seconds | None
    width: Annotated[int | None, said(1920)]
    height: Annotated[int | None, said(1080)]
    fps: Annotated[float | None, said(29.97)]
    distinct: Distinct | None
    thumbnail_url: Thumbnail
    completed_variations: int
    failed_variations: Annotated[int, said(0)]
    error: Sentence
    error_code: Code


class FileWithVariations(File):
    variations: list[Variation]


class FileWithRecipes(File):
    job_id: UUID
    variations: list[VariationWithRecipe]


class Files(Shape):
    """A page of a job's files."""

    files: list[FileWithVariations]
    page: int
    per_page: Annotated[int, said(50)]
    total: int
    pages: int


class Summary(Shape):
    """A job in a list."""

    id: UUID
    name: Annotated[str | None, said("spring")]
    kind: Kind
    status: Status
    total_videos: int
    total_variations: Annotated[int, said(5)]
    completed_variations: Annotated[int, said(2)]
    failed_variations: Annotated[int, said(0)]
    progress: Share
    file_names: list[Name]
    thumbnail_url: Thumbnail
    created_at: datetime
    ended_at: Annotated[datetime | None, said(None)]
    expires_at: Annotated[datetime | None, said(None)]
    expired_because: Reason
    kept: Kept


class DeletedJob(Shape):
    job_id: UUID
    status: Annotated[State, said(State.EXPIRED, "expired, or cancelling while a worker still stops.")]


class Job(Shape):
    job_id: UUID
    name: Annotated[str | None, said("spring")]
    kind: Kind
    status: Status
    wish: Annotated[Wish, said(Wish.RUN, "What a person wants of it.")]
    total_videos: int
    failed_videos: Annotated[int, said(0)]
    variations_per_video: Annotated[int, said(5)]
    total_variations: Annotated[int, said(5)]
    completed_variations: Annotated[int, said(2)]
    failed_variations: Annotated[int, said(0)]
    progress: Share
    eta_seconds: Annotated[int | None, said(95, "Until it is done, as far as one can know.")]
    queue_position: Annotated[int | None, said(None, "Counted from 1, while no worker has touched it.")]
    seed: Annotated[int, said(7)]
    priority: Annotated[str, said("normal", "low, normal or high: its share of the workers beside other jobs.")]
    distinct: Distinct | None
    files: list[FileWithVariations]
    created_at: datetime
    started_at: Moment
    ended_at: Annotated[datetime | None, said(None)]
    expires_at: Annotated[datetime | None, said(None)]
    expired_because: Reason
    kept: Kept
    error: Sentence
    error_code: Code


class Keep(Shape):
    model_config = ConfigDict(extra="forbid")

    keep: Annotated[StrictBool, Field(examples=[True])]


class BytesByKind(Shape):
    """What a workspace's bytes are."""

    sources: Annotated[int, said(48213377, "Uploaded videos.")]
    arriving: Annotated[int, said(0, "Declared by uploads that are not complete.")]
    takes: Annotated[int, said(96426754, "Finished takes.")]
    promised: Annotated[int, said(0, "Kept free for takes that are not made yet.")]


class NextToGo(Shape):
    job_id: Annotated[UUID | None, Field(description="Null when it is another workspace's.")]
    bytes: Bytes
    ended_at: datetime
    expires_at: datetime
    why: Annotated[str, said("It ended before all the others.")]


class KeptJob(Shape):
    job_id: UUID
    name: Annotated[str | None, said("spring")]
    status: Status
    bytes: Bytes
    ended_at: Moment
    expires_at: Moment


class StorageUse(Shape):
    """All in bytes, and of all workspaces unless it says otherwise. Without a cap there is no limit."""

    used: Annotated[int, said(144640131, "Stored, and kept free for what is under way.")]
    going: Annotated[int, said(0, "Part of it: of what is expired, and about to go by itself.")]
    cap: Annotated[int | None, said(85899345920)]
    free: Annotated[int | None, said(85754705789)]
    makes_room_above: Annotated[int | None, said(73014444032, "Above this, ended jobs go in turn,")]
    makes_room_until: Annotated[int | None, said(64424509440, "until no more than this stays.")]
    workspace: Annotated[int, said(144640131, "What the caller's workspace uses.")]
    by_kind: BytesByKind
    next: Annotated[list[NextToGo], Field(description="The jobs that would go for want of room, in this order.")]
    kept: Annotated[list[KeptJob], Field(description="The caller's jobs that would not.")]
    kept_most: Annotated[int, said(10, "So many may be kept.")]
