"""Reaper and sweeper (rules 8 and 6): what takes away from the lost, and must not from the living."""

from collections.abc import Iterator

from model import moves
from model.explore import Step
from model.guards import Guard
from model.scene import NOTHING, PARTS, At, Database, Lease, Rules, Scene, has_row, holds
from retake.domain.states import State


def reaper(rules: Rules, now: Scene) -> Iterator[Step[Scene]]:
    """Rule 8, as two steps: a list is read, then each part on it is moved in a transaction of its own."""
    young = now.database is Database.YOUNG and rules.has(Guard.GRACE)
    if now.reaper == NOTHING:
        for index, part in enumerate(now.parts):
            if part.lease in {Lease.PAST, Lease.CUT_OFF} and not young:
                story = f"the reaper reads that the lease of claim {part.claim} ran out"
                yield Step(story, now._replace(reaper=index))
        return
    index, free = now.reaper, now._replace(reaper=NOTHING)
    lapsed = now.parts[index].lease in {Lease.PAST, Lease.CUT_OFF}
    if rules.has(Guard.RECHECK) and not lapsed:
        yield Step(f"the reaper finds that {PARTS[index]} has moved on", free)
    elif young and rules.has(Guard.GRACE_AT_WRITE):
        yield Step("the reaper finds that the database was away since it read", free)
    else:
        yield Step(f"the reaper takes {PARTS[index]} away", moves.reap(rules, free, index))


def sweeper(rules: Rules, now: Scene) -> Iterator[Step[Scene]]:
    """Bytes without a row go two hours after they were first seen so: by then whoever could write the row has written
    it or was reaped. Without that guard, the age is what some clock makes of it."""
    scoped = rules.has(Guard.SCOPED_KEY)
    for thing in sorted(now.objects):
        if has_row(now, thing, scoped=scoped):
            continue
        row_may_come = any(
            worker.at is At.STORED and worker.claim == thing.author and holds(now, worker) for worker in now.workers
        )
        if now.job is State.EXPIRED or not row_may_come or not rules.has(Guard.FIRST_SEEN):
            after = now._replace(objects=now.objects - {thing})
            yield Step(f"the sweep deletes take {thing.variation + 1} of claim {thing.author}", after)
