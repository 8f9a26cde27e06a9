"""What must be true once a round is quiet: the audit, and what only somebody knows who was there from the start."""

import contextlib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.plans import JobPlan, Plan
from faults.rig import Rig
from retake.audit import audit
from retake.domain.errors import WORKER_LOST
from retake.store.jobs import NewJob
from retake.store.reaping import LOSSES

EXPECTED = {
    "none": {"completed"},
    "pause": {"completed"},
    "cancel": {"completed", "cancelled"},
    "retry": {"completed"},
}


@dataclass
class Verdict:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    unsound: list[str] = field(default_factory=list)  # the audit's and all else
    spent: int = 0  # attempts

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.stale, *self.unsound]


async def judge(rig: Rig, plan: Plan, jobs: list[NewJob]) -> Verdict:
    verdict = Verdict()
    async for violation in audit(rig.database, rig.blobs, rig.bus, rig.timing, at_rest=True, deep=True):
        stale = violation.invariant in {"I3", "I4"}
        (verdict.stale if stale else verdict.unsound).append(f"{violation.invariant}: {violation.what}")
    for job_plan, new in zip(plan.jobs, jobs, strict=True):
        await _job(rig, job_plan, new, verdict)
    verdict.doubled += [
        f"take {row['take']} was published {row['n']} times, and its row is {row['state']}"
        for row in await rig.eyes.see(_PUBLISHED)
        if row["n"] != (row["state"] == "completed")
    ]
    (spent,) = await rig.eyes.see("SELECT count(*) AS n FROM event WHERE kind = 'lost'")
    verdict.spent = spent["n"]
    verdict.unsound += [f"{place} is left in scratch" for place in left_in(rig.scratch)]
    return verdict


_PUBLISHED = """
    SELECT v.video_id || ' ' || v.index AS take, v.state, (
        SELECT count(*) FROM event WHERE kind = 'variation' AND body ->> 'status' = 'completed'
            AND body ->> 'videoId' = v.video_id::text AND (body ->> 'index')::integer = v.index) AS n
    FROM variation v
"""


def left_in(scratch: Path) -> list[Path]:
    """Folders of claims; the workers' own stay as long as they live."""
    return list(scratch.glob("*/[0-9]*"))


def still_in(scratch: Path) -> list[int]:
    """Processes that stand in a folder of scratch: encoders that outlived their part, or their worker."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if process.readlink().is_relative_to(scratch):
                found.append(int(process.parent.name))
    return found


async def _job(rig: Rig, plan: JobPlan, new: NewJob, verdict: Verdict) -> None:
    """Everything that was accepted is there, and ended as its person wished."""
    found = await rig.eyes.see("SELECT state FROM job WHERE id = %s", new.id)
    if not found:
        verdict.lost.append(f"job {new.id} was accepted and is gone")
        return
    videos = await rig.eyes.see(
        """
        SELECT v.id, v.state, v.error_code, s.sha256,
            (SELECT count(*) FROM event WHERE kind = 'lost' AND body ->> 'videoId' = v.id::text) AS losses
        FROM video v JOIN source s ON s.id = v.source_id WHERE v.job_id = %s ORDER BY v.position
        """,
        new.id,
    )
    if found[0]["state"] not in EXPECTED[plan.wish] and not any(_was_poison(video) for video in videos):
        verdict.lost.append(f"job {new.id} ({plan.wish}) ended as {found[0]['state']}")
    if len(videos) != len(plan.videos):
        verdict.lost.append(f"job {new.id} has {len(videos)} videos of {len(plan.videos)}")
    for data, video in zip(plan.videos, videos, strict=False):
        if video["sha256"] not in {None, hashlib.sha256(data).hexdigest()}:
            verdict.stale.append(f"the source of video {video['id']} is not what was uploaded")
        verdict.lost += await _takes(rig, plan, video)


async def _takes(rig: Rig, plan: JobPlan, video: dict[str, Any]) -> list[str]:
    """All its takes, completed; unless its person cancelled, or its workers were killed too often."""
    takes = await rig.eyes.see("SELECT index, state, error_code FROM variation WHERE video_id = %s", video["id"])
    excused = {"completed"} | ({"cancelled"} if plan.wish == "cancel" else set())
    missing = [
        f"take {take['index']} of video {video['id']} ({plan.wish}) is {take['state']} {take['error_code']}"
        for take in takes
        if take["state"] not in excused and not (take["error_code"] == WORKER_LOST.code and _was_poison(video))
    ]
    if len(takes) != plan.takes and plan.wish != "cancel" and not _was_poison(video):
        missing.append(f"video {video['id']} has {len(takes)} takes of {plan.takes}")
    return missing


def _was_poison(video: dict[str, Any]) -> bool:
    """Rule 8: so many workers were killed over it that giving it up is right."""
    return int(video["losses"]) > LOSSES
