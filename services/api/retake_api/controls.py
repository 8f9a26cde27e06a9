"""What the controls of a job take and answer, field by field (schemas.py)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from retake_api.schemas import Shape, Status, said


class Control(Shape):
    action: Annotated[Literal["pause", "resume", "cancel"], said("pause")]


class Confirmation(Shape):
    """Either of them confirms; without one it is only asked what would be lost."""

    confirm_token: Annotated[str | None, said("MTc3...", "Of the answer to the first step.")] = None
    confirm: Annotated[bool | None, said(None, "True confirms without a first step.")] = None


class WouldLose(Shape):
    variations: Annotated[int, said(3, "That are not finished.")]
    in_work: Annotated[int, said(1, "Of these, that a worker is rendering now.")]
    kept: Annotated[int, said(2, "That are finished, and stay.")]


class CancelRequested(Shape):
    status: Annotated[Literal["cancel_requested"], said("cancel_requested")]
    confirm_token: Annotated[str, said("MTc3...")]
    expires_at: datetime
    would_lose: WouldLose


class Cancelling(Shape):
    job_id: UUID
    status: Status
    completed_variations: Annotated[int, said(2)]
    total_variations: Annotated[int, said(5)]
