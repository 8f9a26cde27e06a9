"""One round: a few small jobs, up to three faults while they run, and the verdict once all is quiet again."""

import asyncio
import time
from dataclasses import dataclass, field
from random import Random

from faults.faults import FAULTS
from faults.people import act, ended, prepare
from faults.plans import FaultPlan, Plan
from faults.rig import Rig
from faults.verdict import Verdict, judge, left_in, still_in
from retake.bus.errors import BusUnavailable
from retake.store.jobs import NewJob

DEADLINE = 180.0


@dataclass
class Outcome:
    plan: Plan
    verdict: Verdict = field(default_factory=Verdict)
    struck: dict[str, float] = field(default_factory=dict)  # when
    recovered: float = 0  # when all had ended
    took: float = 0


async def play(rig: Rig, plan: Plan, deadline: float = DEADLINE) -> Outcome:
    """Whatever goes wrong stands in the outcome."""
    outcome, began = Outcome(plan), time.monotonic()
    try:
        async with asyncio.timeout(deadline):
            jobs = [await prepare(rig, job, plan.seed) for job in plan.jobs]
            await _run(rig, outcome, jobs)
            await settled(rig)
            outcome.verdict = await judge(rig, plan, jobs)
    except TimeoutError:
        outcome.verdict.lost.append(f"not at rest after {deadline:g} s: {await _last_look(rig)}")
    except Exception as error:  # noqa: BLE001  the campaign goes on with another rig
        outcome.verdict.unsound.append(f"{type(error).__name__}: {error}")
    outcome.took = time.monotonic() - began
    return outcome


async def _run(rig: Rig, outcome: Outcome, jobs: list[NewJob]) -> None:
    striking = [asyncio.create_task(_strike(rig, fault, outcome)) for fault in outcome.plan.faults]
    try:
        async with asyncio.TaskGroup() as people:
            for plan, new in zip(outcome.plan.jobs, jobs, strict=True):
                people.create_task(act(rig, plan, new))
        await ended(rig, jobs)
        outcome.recovered = time.monotonic()
        pending = set(striking)
        while pending:
            rig.withdraw_orders()
            _, pending = await asyncio.wait(striking, timeout=0.05)
        for struck in striking:
            struck.result()
        await ended(rig, jobs)
    finally:
        for task in striking:
            task.cancel()
        await asyncio.gather(*striking, return_exceptions=True)


async def _strike(rig: Rig, fault: FaultPlan, outcome: Outcome) -> None:
    await asyncio.sleep(fault.after)
    if (at := await FAULTS[fault.name](rig, Random(fault.seed))) is not None:
        outcome.struck[fault.name] = at


async def settled(rig: Rig) -> None:
    """The processes that died are back, and nobody works any more."""
    while await _unrest(rig):
        await asyncio.sleep(0.02)


async def _unrest(rig: Rig) -> str:
    """What is not at rest, or nothing."""
    running = await rig.eyes.see("SELECT id, state, worker FROM part WHERE state IN ('queued', 'running')")
    if running:
        return f"parts {running}"
    if not await rig.is_up():
        return "a process is down"
    if left := left_in(rig.scratch):
        return f"scratch {left}"
    if strays := still_in(rig.scratch):
        return f"processes {strays} of no worker"
    try:
        waiting = await rig.bus.waiting()
    except BusUnavailable as error:
        return repr(error)
    return f"{waiting} messages" if waiting else ""


async def _last_look(rig: Rig) -> str:
    try:
        async with asyncio.timeout(10):
            return await _unrest(rig)
    except TimeoutError:
        return "even Postgres does not answer"


async def clean(rig: Rig) -> None:
    """For the next round: no job, no event, no object."""
    await rig.eyes.see("TRUNCATE job, source, event CASCADE")
    await rig.eyes.see("UPDATE storage SET bytes = 0")
    await rig.blobs.delete_many([blob.key async for blob in rig.blobs.listing()])
