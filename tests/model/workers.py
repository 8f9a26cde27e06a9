"""What a worker does (rules 4 to 7), awake or too late: only its claim tells it apart from one that is not lost."""

from collections.abc import Iterator

from model import moves
from model.explore import Kind, Step
from model.guards import Guard
from model.scene import (
    INSPECT,
    NOTHING,
    PARTS,
    STOP,
    At,
    Database,
    Lease,
    Object,
    Rules,
    Scene,
    Worker,
    holds,
    next_queued,
    used,
    with_part,
    with_worker,
)
from retake.domain.states import VariationState

Steps = Iterator[Step[Scene]]


def workers(rules: Rules, now: Scene) -> Steps:
    down = now.database is Database.DOWN
    for number, worker in enumerate(now.workers):
        if worker.frozen:
            continue
        if worker.at in {At.WORKING, At.STORED}:
            if worker.at is At.WORKING and worker.variation != NOTHING:
                yield _stores(rules, now, number, worker)
            if down:
                yield from _cut_off(now, number, worker)
            else:
                yield from _beats(rules, now, number, worker)
                yield from _commits(rules, now, number, worker)
        elif not down:
            yield from _begins(rules, now, number, worker)


def name(worker: Worker) -> str:
    return f"the worker of claim {worker.claim}" if worker.claim else "a worker"


def _begins(rules: Rules, now: Scene, number: int, worker: Worker) -> Steps:
    match worker.at:
        case At.STOPPED:
            yield _gives_back(rules, now, number, worker)
        case At.TOLD:
            yield _asks(now, number, worker.part)
        case At.IDLE if not rules.setting.broker:
            yield from (_asks(now, number, index) for index in range(len(now.parts)) if moves.claimable(now, index))


def _asks(now: Scene, number: int, index: int) -> Step[Scene]:
    """Rule 4: claimed or refused, the message is acknowledged at once."""
    if not moves.claimable(now, index):
        return Step(f"a worker is refused {PARTS[index]}", with_worker(now, number, Worker()))
    after = moves.claim(now, index)
    variation = NOTHING if index == INSPECT else next_queued(now)
    worker = Worker(At.WORKING, index, after.claims, variation)
    return Step(f"a worker claims {PARTS[index]} with claim {after.claims}", with_worker(after, number, worker))


def _gives_back(rules: Rules, now: Scene, number: int, worker: Worker) -> Step[Scene]:
    """Rule 9. Without that, it would look like a lost worker."""
    free = with_worker(now, number, Worker())
    if not holds(now, worker):
        return Step(f"{name(worker)} finds its claim gone", free)
    if not rules.has(Guard.GIVE_BACK):
        return Step(f"{name(worker)} forgets its part", free)
    return Step(f"{name(worker)} gives {PARTS[worker.part]} back", moves.release(rules, free, worker.part))


def _cut_off(now: Scene, number: int, worker: Worker) -> Steps:
    """Rule 5: without the database for a lease, it stops by itself."""
    if not holds(now, worker) or now.parts[worker.part].lease is not Lease.LIVE:
        stopped = worker._replace(at=At.STOPPED, variation=NOTHING)
        yield Step(f"{name(worker)} stops, cut off for a lease", with_worker(now, number, stopped))


def _beats(rules: Rules, now: Scene, number: int, worker: Worker) -> Steps:
    """Rule 5: the heartbeat renews the lease, or tells that it is lost, or that the wish is to stop."""
    free, part = with_worker(now, number, Worker()), now.parts[worker.part]
    if not holds(now, worker):
        yield Step(f"{name(worker)} is told that its lease is lost", free)
        return
    if part.lease is not Lease.LIVE:
        renewed = with_part(now, worker.part, part._replace(lease=Lease.LIVE))
        yield Step(f"{name(worker)} renews its lease", renewed)
    if now.wish in STOP:
        yield Step(f"{name(worker)} stops, as the wish says", moves.release(rules, free, worker.part))
    if now.left.releases:
        given = moves.release(rules, free, worker.part)._replace(left=used(now, "releases"))
        yield Step(f"{name(worker)} drains and gives {PARTS[worker.part]} back", given, Kind.FAULT)


def _stores(rules: Rules, now: Scene, number: int, worker: Worker) -> Step[Scene]:
    """Rule 6: a key of its own, or, without that guard, over whatever was there. A zombie still may."""
    key = worker.claim if rules.has(Guard.SCOPED_KEY) else 0
    thing = Object(worker.variation, key, worker.claim)
    others = frozenset(one for one in now.objects if (one.variation, one.key) != (thing.variation, thing.key))
    after = with_worker(now, number, worker._replace(at=At.STORED))._replace(objects=others | {thing})
    return Step(f"{name(worker)} stores take {worker.variation + 1}", after, claim=worker.claim)


def _commits(rules: Rules, now: Scene, number: int, worker: Worker) -> Steps:
    """Rule 7, fenced; a refused commit ends as a heartbeat without an answer does."""
    if not moves.fenced(rules, now, worker):
        return
    free = with_worker(now, number, Worker())
    if worker.part == INSPECT:
        yield Step(f"{name(worker)} commits the plan", moves.commit_inspect(rules, free), claim=worker.claim)
    elif worker.at is At.STORED:
        yield _committed(rules, now, number, worker, VariationState.COMPLETED)
    elif worker.variation == NOTHING:
        yield Step(f"{name(worker)} finishes the render part", moves.finish(free), claim=worker.claim)
    if not now.left.errors:
        return
    fewer = now._replace(left=used(now, "errors"))
    if worker.part == INSPECT:
        after = moves.bad_input(with_worker(fewer, number, Worker()))
        yield Step(f"{name(worker)} finds bad input", after, Kind.FAULT, worker.claim)
    elif worker.at is At.WORKING and worker.variation != NOTHING:
        yield _committed(rules, fewer, number, worker, VariationState.FAILED)._replace(kind=Kind.FAULT)


def _committed(rules: Rules, now: Scene, number: int, worker: Worker, state: VariationState) -> Step[Scene]:
    after = moves.commit_variation(rules, now, worker, state)
    going_on = worker._replace(at=At.WORKING, variation=next_queued(after))
    story = f"{name(worker)} commits take {worker.variation + 1} as {state}"
    return Step(story, with_worker(after, number, going_on), claim=worker.claim)
