"""What people want of a job that is under way: pause, resume, cancel, retry.

Each is a wish in one transaction; workers hear of it at their next heartbeat. What the job's state forbids is refused
with that state and what it allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from retake.domain.states import ENDED, State, Wish
from retake.store.connect import Database
from retake.store.jobs import WishRefused, wish
from retake.store.retrying import NothingToRetry, retry
from retake.store.sources import SourceGone
from retake.store.views import Row, job_view
from retake_api.auth import Caller, Gate
from retake_api.bodies import json_object
from retake_api.described import refuses, takes
from retake_api.expected import Expected
from retake_api.jobs import found, job, json_answer, read_id
from retake_api.problems import NothingHere, Problem
from retake_api.schemas import (
    Cancelled, CancelRequested, Confirmation, ControlRequest, FileId, Job, JobId, Retried, WouldLose,
)  # fmt: skip
from retake_api.signing import Signer

CONFIRM_WITHIN = timedelta(minutes=5)


class Action(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


WISHED: Mapping[Action, Wish] = {Action.PAUSE: Wish.PAUSE, Action.RESUME: Wish.RUN, Action.CANCEL: Wish.CANCEL}

_REFUSED = "The job's state forbids it; `status` and `allowed` say what it is and what can be done."
