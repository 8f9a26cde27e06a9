"""What rows and the stream know and no process counts, read when somebody scrapes, at most once in `kept` seconds.

What cannot be read now is not told: nobody is to take an old figure for one of now.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from heapq import nlargest

import structlog

from retake import metrics
from retake.bus.errors import BusError
from retake.domain.errors import FAILURES, fault_of
from retake.domain.timing import Timing
from retake.store.connect import Database
from retake.store.figures import Row, figures
from retake.store.janitor_runs import Run, last_run
from retake.store.tally import Tally, tally

log = structlog.stdlib.get_logger(__name__)

PATIENCE = 4.0
NAMED = 5
OTHERS = "(others)"
"""No workspace is called so."""

Messages = Callable[[], Awaitable[Mapping[str, int]]]
"""How many messages the stream has, by their state."""


class Figures:
    def __init__(self, database: Database, timing: Timing, cap: int | None, messages: Messages) -> None:
        self._database, self._timing, self._cap, self._messages = database, timing, cap, messages
        self._kept = timing.announce_poll
        self._looked = -self._kept
        self._looking = asyncio.Lock()

    async def look(self) -> None:
        async with self._looking:
            if time.monotonic() - self._looked < self._kept:
                return
            await asyncio.gather(self._look_at_rows(), self._look_at_stream())
            self._looked = time.monotonic()

    async def _look_at_rows(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._show_rows()
        except Exception as error:  # noqa: BLE001  also a schema that is another's: what else there is, is told
            log.warning("no figures now", error=repr(error))
            for figure in metrics.FROM_ROWS:
                if figure is not metrics.STREAM_MESSAGES:
                    figure.hide()

    async def _show_rows(self) -> None:
        now, queues = await figures(self._database, self._timing)
        happened = await tally(self._database, metrics.JOB_BOUNDS)
        run = await last_run(self._database)
        show_happened(happened)
        show_queues(queues)
        show_now(now, running=sum(row["running"] for row in queues))
        metrics.STORAGE_CAP.show(self._cap or 0)
        if run is not None:
            show_pass(run)

    async def _look_at_stream(self) -> None:
        try:
            metrics.STREAM_MESSAGES.show({(state,): n for state, n in (await self._messages()).items()})
        except BusError as error:
            log.debug("no figures of the stream now", error=str(error))
            metrics.STREAM_MESSAGES.hide()


def show_happened(happened: Tally) -> None:
    """What never happened is told as 0: else its first time would be no increase."""
    none = {(): 0.0}
    for what, figure in {
        "jobs_accepted": metrics.JOBS_ACCEPTED,
        "videos_accepted": metrics.VIDEOS_ACCEPTED,
        "bytes_accepted": metrics.BYTES_ACCEPTED,
        "takes_completed": metrics.TAKES_COMPLETED,
        "take_bytes": metrics.TAKE_BYTES,
        "take_seconds": metrics.TAKE_SECONDS,
        "parts_lost": metrics.PARTS_LOST,
    }.items():
        figure.show(none | happened.get(what, {}))
    ends = {(state,): 0.0 for state in ("completed", "failed", "cancelled")}
    metrics.JOBS_ENDED.show(ends | happened.get("jobs_ended", {}))
    reasons = {(because,): 0.0 for because in ("age", "space", "deleted")}
    metrics.JOBS_EXPIRED.show(reasons | happened.get("jobs_expired", {}))
    codes = {(one.code,): 0.0 for one in FAILURES}
    for what, figure in {"videos_failed": metrics.VIDEOS_FAILED, "takes_failed": metrics.TAKES_FAILED}.items():
        failed = codes | happened.get(what, {})
        figure.show({(code, fault_of(code)): n for (code,), n in failed.items()})
    for what, figure in {"first_take": metrics.FIRST_TAKE_SECONDS, "job": metrics.JOB_SECONDS}.items():
        within = {float(bound): n for (bound,), n in happened.get(f"{what}_within", {}).items()}
        total = happened.get(f"{what}_seconds", none)
        figure.show_buckets(metrics.JOB_BOUNDS, within, total[()])


def show_queues(queues: Sequence[Row]) -> None:
    states = ("due", "announced", "running", "held")
    metrics.QUEUE_PARTS.show({(state,): sum(row[state] for row in queues) for state in states})
    metrics.QUEUE_OLDEST.show(max((row["oldest"] for row in queues), default=0))
    load = {row["name"]: (row["due"] + row["announced"], row["running"]) for row in queues}
    named = nlargest(NAMED, load, key=lambda name: (sum(load[name]), name))
    rest = [parts for name, parts in load.items() if name not in named]
    shown = {name: load[name] for name in named} | {OTHERS: (sum(w for w, _ in rest), sum(r for _, r in rest))}
    metrics.WORKSPACE_PARTS.show(
        {
            (name, state): n
            for name, parts in shown.items()
            for state, n in zip(("waiting", "running"), parts, strict=True)
        }
    )


def show_now(now: Row, running: int) -> None:
    metrics.FLEET_WORKERS.show({("active",): now["active"], ("lost",): now["lost"]})
    metrics.FLEET_SLOTS.show({("busy",): running, ("idle",): max(0, now["slots"] - running)})
    metrics.QUEUE_WINDOW.show(max(2, now["slots"]))
    metrics.WEBHOOKS_WAITING.show(now["webhooks"])
    metrics.WEBHOOKS_OVERDUE.show(now["overdue"])
    metrics.STORAGE_USED.show(now["used"])
    metrics.ORPHANS.show(now["orphans"])
    metrics.ORPHAN_BYTES.show(now["orphan_bytes"])
    metrics.SCHEMA.show(now["schema"])


def show_pass(run: Run) -> None:
    metrics.JANITOR_ENDED.show(run.ended_at.timestamp())
    metrics.JANITOR_SECONDS.show((run.ended_at - run.started_at).total_seconds())
    metrics.JANITOR_DID.show({(chore,): count for chore, count in run.counts.items()})
    metrics.JANITOR_FAILED.show({(chore,): chore in run.errors for chore in (*run.counts, *run.errors)})
