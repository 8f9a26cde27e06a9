"""What people want of a job that is under way or has ended: pause, resume, cancel, retry.

Each is a wish in one transaction; workers hear of it at their next heartbeat. What the job's state forbids is refused
with that state and what can be done instead.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from pydantic import BaseModel

from retake.domain.states import ENDED, State, Wish
from retake.store.jobs import WishRefused, wish
from retake.store.moments import is_over, moment_in
from retake.store.retrying import NothingToRetry, retry
from retake.store.sources import SourceGone
from retake.store.views import Page
from retake_api import views
from retake_api.admission import admitted
from retake_api.auth import Access, Caller, Gate
from retake_api.bodies import json_object, may_be_json_object
from retake_api.controls import Cancelling, CancelRequested, Confirmation, Control, WouldLose
from retake_api.described import refuses, takes
from retake_api.expected import Expected
from retake_api.incoming import Dock
from retake_api.jobs import found, read_id
from retake_api.problems import NothingHere, Problem
from retake_api.schemas import FileId, Job, JobId

CANCEL = "cancel"
"""What a confirmation is signed for."""
CONFIRM_WITHIN = timedelta(minutes=5)


class Action(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


WISHED: Mapping[Action, Wish] = {Action.PAUSE: Wish.PAUSE, Action.RESUME: Wish.RUN, Action.CANCEL: Wish.CANCEL}

_FORBIDDEN: Mapping[int, str] = {
    409: "The job's state forbids it: `jobStatus` says what it is, `allowed` what can be done instead."
}
_DONE = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "retry": "retried", "delete": "deleted"}


def allowed(view: Job) -> list[str]:
    """What can be done with a job now."""
    if view.wish is Wish.EXPIRE:
        return []
    failed = any(file.status in ENDED and file.completed_variations < view.variations_per_video for file in view.files)
    if view.status in ENDED:
        return ["retry", "delete"] if failed else ["delete"]
    if view.wish is Wish.CANCEL:
        return ["delete"]
    begun = "resume" if view.wish is Wish.PAUSE else "pause"
    return [begun, "cancel", *(["retry"] if failed else []), "delete"]


def refusal(view: Job, wanted: str) -> Problem:
    can = allowed(view)
    sentence = f"This job is {view.status} and cannot be {_DONE[wanted]}"
    sentence += f"; it can be {' or '.join(_DONE[one] for one in can)}." if can else "."
    return Problem(409, "not_allowed", sentence, jobStatus=view.status, allowed=can)


@dataclass(frozen=True)
class Controls:
    """What the routes below do, with the job of one caller."""

    dock: Dock
    expected: Expected
    wake: Callable[[], Awaitable[None]]

    async def view(self, caller: Caller, job_id: str) -> Job:
        row = await found(self.dock.database, caller, job_id)
        return Job.model_validate(views.job(row, await self.expected.of(row)))

    async def wish(self, caller: Caller, job_id: str, action: str) -> Job:
        try:
            await wish(self.dock.database, read_id(job_id), WISHED[Action(action)], workspace=caller.workspace)
        except WishRefused:
            raise refusal(await self.view(caller, job_id), action) from None
        await self.wake()
        return await self.view(caller, job_id)

    async def retry(self, caller: Caller, job_id: str, file_id: str | None = None) -> Job:
        job, video = read_id(job_id), None if file_id is None else read_id(file_id)
        if video is not None and not (await found(self.dock.database, caller, job_id, Page(only=video)))["files"]:
            raise NothingHere
        try:
            await admitted(
                self.dock,
                lambda: retry(self.dock.database, job, video, workspace=caller.workspace, cap=self.dock.storage.cap),
            )
        except NothingToRetry:
            raise nothing_to_retry(await self.view(caller, job_id)) from None
        except SourceGone:
            raise source_gone(await self.view(caller, job_id)) from None
        await self.wake()
        return await self.view(caller, job_id)


def nothing_to_retry(view: Job) -> Problem:
    if view.wish is Wish.EXPIRE or view.status is State.CANCELLING:
        return refusal(view, "retry")
    sentence = "Nothing here failed or was cancelled, so there is nothing to try again."
    return Problem(409, "nothing_to_retry", sentence, jobStatus=view.status, allowed=allowed(view))


def source_gone(view: Job) -> Problem:
    sentence = "The uploaded video is not kept any more, so it cannot be tried again."
    return Problem(
        409, "source_gone", sentence, suggestion="Please upload it again.", jobStatus=view.status, allowed=["delete"]
    )


def install(app: FastAPI, gate: Gate, controls: Controls, access: Access) -> None:
    """`access` signs what confirms a cancel."""
    _install_wishes(app, gate, controls)
    _install_cancel(app, gate, controls, access)
    _install_retry(app, gate, controls)


def _install_wishes(app: FastAPI, gate: Gate, controls: Controls) -> None:
    @app.post(
        "/api/jobs/{job_id}/control",
        summary="Pause, resume or cancel a job",
        tags=["jobs"],
        response_model=Job,
        response_description="The job as it is now.",
        openapi_extra=takes({"application/json": Control}),
        responses=refuses({400: "There is no such action; `allowed` names those there are.", **_FORBIDDEN}),
    )
    async def control_job(request: Request, job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        action = (await json_object(request)).get("action")
        if not isinstance(action, str) or action not in set(Action):
            names = [one.value for one in Action]
            raise Problem(400, "unknown_action", f"The action must be one of {', '.join(names)}.", allowed=names)
        return json_answer(await controls.wish(caller, job_id, action))


def _install_cancel(app: FastAPI, gate: Gate, controls: Controls, access: Access) -> None:
    database = controls.dock.database

    async def requested(view: Job) -> CancelRequested:
        expires = await moment_in(database, CONFIRM_WITHIN)
        working = sum(take.status == "processing" for file in view.files for take in file.variations)
        unfinished = view.total_variations - view.completed_variations - view.failed_variations
        return CancelRequested(
            status="cancel_requested",
            confirm_token=access.signer.sign(CANCEL, str(view.job_id), expires),
            expires_at=expires,
            would_lose=WouldLose(variations=unfinished, in_work=working, kept=view.completed_variations),
        )

    async def confirms(token: str, view: Job) -> bool:
        signed = access.signer.verify(CANCEL, token)
        return signed is not None and signed.subject == str(view.job_id) and not await is_over(database, signed.expires)

    @app.post(
        "/api/jobs/{job_id}/cancel",
        summary="Cancel a job in two steps: ask what would be lost, then confirm",
        tags=["jobs"],
        response_model=Cancelling,
        response_description="It is being cancelled, or it is already.",
        openapi_extra=takes({"application/json": Confirmation}, required=False),
        responses={
            202: {"model": CancelRequested, "description": "Nothing happened yet: confirm with the token."},
            **refuses({409: "The job's state forbids it, or the token is stale or another job's."}),
        },
    )
    async def cancel_job(request: Request, job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        given = await may_be_json_object(request)
        view = await controls.view(caller, job_id)
        if "cancel" not in allowed(view):
            raise refusal(view, "cancel")
        token = given.get("confirmToken")
        if token is None and given.get("confirm") is not True:
            return json_answer(await requested(view), 202)
        if token is not None and not await confirms(str(token), view):
            sentence = "This confirmation is stale, or another job's; please ask again what would be lost."
            raise Problem(409, "stale_confirmation", sentence, jobStatus=view.status, allowed=allowed(view))
        view = await controls.wish(caller, job_id, Action.CANCEL)
        return json_answer(Cancelling(**view.model_dump(include=set(Cancelling.model_fields))))


def _install_retry(app: FastAPI, gate: Gate, controls: Controls) -> None:
    @app.post(
        "/api/jobs/{job_id}/retry",
        summary="Try again everything that failed or was cancelled",
        tags=["jobs"],
        status_code=202,
        response_model=Job,
        response_description="The job as it is now.",
        responses=refuses({409: "There is nothing to try again, or the source is gone."}),
    )
    async def retry_job(job_id: JobId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        return json_answer(await controls.retry(caller, job_id), 202)

    @app.post(
        "/api/jobs/{job_id}/files/{file_id}/retry",
        summary="Try again what failed or was cancelled of one video",
        tags=["jobs"],
        status_code=202,
        response_model=Job,
        response_description="The job as it is now.",
        responses=refuses({409: "There is nothing to try again, or the source is gone."}),
    )
    async def retry_file(job_id: JobId, file_id: FileId, caller: Annotated[Caller, Depends(gate)]) -> Response:
        return json_answer(await controls.retry(caller, job_id, file_id), 202)


def json_answer(shape: BaseModel, status: int = 200) -> Response:
    return Response(shape.model_dump_json(by_alias=True), status, media_type="application/json")
