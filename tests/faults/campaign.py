"""The campaign: many rounds on a few rigs at once, and the table of what came of them."""

import asyncio
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from faults.evidence import Marks, replay
from faults.faults import FAULTS, KILLERS
from faults.plans import Plan
from faults.rig import Size, rigged
from faults.rounds import Outcome, clean, play


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


async def campaign(folder: Path, seeds: Iterable[int], size: Size, rigs: int) -> list[Outcome]:
    """Each rig takes the next seed; one on which a round went wrong is not used again."""
    waiting, outcomes = list(seeds)[::-1], []

    async def work(number: int) -> None:
        while waiting:
            number += rigs
            async with rigged(folder / f"rig-{number}", size) as rig:
                while waiting:
                    plan, marks = Plan.of(waiting.pop()), Marks(rig)
                    outcome = await play(rig, plan)
                    outcomes.append(outcome)
                    if len(outcomes) % 50 == 0:
                        say(f"{len(outcomes)} rounds")
                    if wrong := outcome.verdict.wrong:
                        kept = await marks.keep(rig, plan, wrong)
                        say("\n  ".join([f"WRONG {plan}", *wrong, f"logs and rows: {kept}", replay(plan.seed)]))
                        break
                    if outcome.verdict.spent and not KILLERS.intersection(outcome.struck):
                        say(f"attempts were spent: {plan}\n  logs and rows: {await marks.keep(rig, plan, [])}")
                    await clean(rig)

    async with asyncio.TaskGroup() as tasks:
        for number in range(rigs):
            tasks.create_task(work(number))
    return outcomes


def table(outcomes: list[Outcome]) -> str:
    """Fault -> rounds it struck in, and the time from it until all had ended, alone and beside others."""
    alone: dict[str, list[float]] = defaultdict(list)
    beside: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        for name, at in outcome.struck.items():
            (alone if len(outcome.struck) == 1 else beside)[name].append(max(0.0, outcome.recovered - at))
    lines = [
        f"{'fault':<34} {'struck':>6}   {'alone: p50':>10} {'most':>6}   {'beside: p50':>11} {'most':>6}   seconds"
    ]
    lines += [
        f"{name:<34} {len(alone[name]) + len(beside[name]):>6}   "
        f"{_middle(alone[name]):>10} {_most(alone[name]):>6}   {_middle(beside[name]):>11} {_most(beside[name]):>6}"
        for name in FAULTS
    ]
    return "\n".join(lines)


def totals(outcomes: list[Outcome]) -> str:
    verdicts = [outcome.verdict for outcome in outcomes]
    figures = {
        "rounds": len(outcomes),
        "jobs": sum(len(outcome.plan.jobs) for outcome in outcomes),
        "takes": sum(len(job.videos) * job.takes for outcome in outcomes for job in outcome.plan.jobs),
        "attempts spent": sum(verdict.spent for verdict in verdicts),
        "of them without a killed or frozen worker": sum(
            outcome.verdict.spent for outcome in outcomes if not KILLERS.intersection(outcome.struck)
        ),
        "lost": sum(len(verdict.lost) for verdict in verdicts),
        "published twice": sum(len(verdict.doubled) for verdict in verdicts),
        "stale": sum(len(verdict.stale) for verdict in verdicts),
        "unsound": sum(len(verdict.unsound) for verdict in verdicts),
    }
    return ", ".join(f"{number} {name}" for name, number in figures.items())


def _middle(times: list[float]) -> str:
    return f"{statistics.median(times):.1f}" if times else "-"


def _most(times: list[float]) -> str:
    return f"{max(times):.1f}" if times else "-"
