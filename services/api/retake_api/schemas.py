"""What the service says of jobs, field by field. camelCase on the wire, times in RFC 3339 and UTC.

`error` is one sentence for people, `error_code` what programs tell it by; as in problem documents.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Session(_Shape):
    token: str
    expires_at: datetime


class AcceptedFile(_Shape):
    id: UUID
    name: str
    size: int


class AcceptedJob(_Shape):
    job_id: UUID
    status: str
    files: list[AcceptedFile]
    variations_per_video: int
    total_variations: int
    status_url: str


class Variation(_Shape):
    index: int
    status: str
    progress: float
    size: int | None
    duration: float | None
    distance: dict[str, Any] | None
    error: str | None
    error_code: str | None


class VariationWithRecipe(Variation):
    recipe: dict[str, Any]


class File(_Shape):
    """One video of a job."""

    id: UUID
    name: str
    size: int
    status: str
    progress: float
    sha256: str | None
    duration: float | None
    width: int | None
    height: int | None
    fps: float | None
    completed_variations: int
    failed_variations: int
    error: str | None
    error_code: str | None


class FileWithVariations(File):
    variations: list[Variation]


class FileWithRecipes(File):
    job_id: UUID
    variations: list[VariationWithRecipe]


class Summary(_Shape):
    """A job in a list."""

    id: UUID
    name: str | None
    kind: str
    status: str
    total_videos: int
    total_variations: int
    completed_variations: int
    failed_variations: int
    progress: float
    file_names: list[str]
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime | None
    expired_because: str | None
    kept: bool


class BytesByKind(_Shape):
    """What a workspace's bytes are: uploaded videos, finished takes, and what is promised to takes not made yet."""

    sources: int
    takes: int
    promised: int


class NextToGo(_Shape):
    """A job that goes when room is needed. Another workspace's has no id."""

    job_id: UUID | None
    bytes: int
    ended_at: datetime
    expires_at: datetime
    why: str


class KeptJob(_Shape):
    job_id: UUID
    name: str | None
    status: str
    bytes: int
    ended_at: datetime | None
    expires_at: datetime | None


class StorageUse(_Shape):
    """In bytes. `going` are among those used, and about to go by themselves. Without a cap there is no limit."""

    used: int
    going: int
    cap: int | None
    free: int | None
    makes_room_above: int | None
    makes_room_until: int | None
    workspace: int
    by_kind: BytesByKind
    next: list[NextToGo]
    kept: list[KeptJob]
    kept_most: int


class Job(_Shape):
    job_id: UUID
    name: str | None
    kind: str
    status: str
    wish: str
    total_videos: int
    failed_videos: int
    variations_per_video: int
    total_variations: int
    completed_variations: int
    failed_variations: int
    progress: float
    seed: int
    files: list[FileWithVariations]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None
    expired_because: str | None
    kept: bool
    error: str | None
    error_code: str | None
