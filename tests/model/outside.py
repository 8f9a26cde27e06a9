"""What the protocol does not decide: people's wishes, time, deaths and outages."""

from collections.abc import Iterator

from model import moves
from model.announce import MESSAGES
from model.explore import Kind, Step
from model.scene import (
    At,
    Database,
    Lease,
    Rules,
    Scene,
    Worker,
    ended,
    holds,
    living_holder,
    used,
    with_part,
    with_worker,
)
from model.workers import name
from retake.domain.states import WISHES, Wish

RETRY = "a person retries the ended job"
EXPIRE = "a person deletes the job"
Steps = Iterator[Step[Scene]]


def people(rules: Rules, now: Scene) -> Steps:
    if not now.left.wishes:
        return
    asked = now._replace(left=used(now, "wishes"))
    if ended(now) and Wish.RUN in WISHES[now.wish] | {now.wish} and moves.to_retry(now):
        yield Step(RETRY, moves.retry(rules, asked), Kind.PERSON)
    if not ended(now):
        if Wish.CANCEL in WISHES[now.wish]:
            yield Step("a person cancels", moves.stop(rules, asked, Wish.CANCEL), Kind.PERSON)
        if Wish.PAUSE in WISHES[now.wish]:
            yield Step("a person pauses", moves.pause(asked), Kind.PERSON)
        if now.wish is Wish.PAUSE:
            yield Step("a person resumes", moves.resume(rules, asked), Kind.PERSON)
    if Wish.EXPIRE in WISHES[now.wish]:
        yield Step(EXPIRE, moves.stop(rules, asked, Wish.EXPIRE), Kind.PERSON)


def leases(now: Scene) -> Steps:
    """Time passes: a lease runs out when nobody renews it, or nobody can."""
    for index, part in enumerate(now.parts):
        living = living_holder(now, index)
        if part.lease is Lease.LIVE and (not living or now.database is Database.DOWN):
            lapsed = part._replace(lease=Lease.CUT_OFF if living else Lease.PAST)
            yield Step(f"the lease of claim {part.claim} runs out", with_part(now, index, lapsed))


def database(now: Scene) -> Steps:
    """Rule 8's outage. It is over for good when every living holder had a lease's time to come back."""
    match now.database:
        case Database.UP if now.left.outages:
            gone = now._replace(database=Database.DOWN, left=used(now, "outages"))
            yield Step("Postgres goes down", gone, Kind.FAULT)
        case Database.DOWN:
            yield Step("Postgres is up again", now._replace(database=Database.YOUNG))
        case Database.YOUNG:
            cut_off = (index for index, part in enumerate(now.parts) if part.lease is Lease.CUT_OFF)
            if not any(living_holder(now, index) for index in cut_off):
                yield Step("one lease has passed since the start", now._replace(database=Database.UP))


def accidents(now: Scene) -> Steps:
    for number, worker in enumerate(now.workers):
        if worker.at is At.IDLE:
            continue
        if worker.frozen:
            woken = with_worker(now, number, worker._replace(frozen=False))
            yield Step(f"{name(worker)} wakes", woken, Kind.FAULT)
        part = now.parts[worker.part]
        if worker.at is At.TOLD and not worker.frozen:  # never acknowledged: delivered again after AckWait
            part = part._replace(messages=min(part.messages + 1, MESSAGES))
        if part.lease is Lease.CUT_OFF and holds(now, worker):
            part = part._replace(lease=Lease.PAST)  # from here on its worker is lost indeed
        scene = with_part(now, worker.part, part)
        if now.left.kills:
            dead = with_worker(scene, number, Worker())._replace(left=used(now, "kills"))
            yield Step(f"{name(worker)} is killed", dead, Kind.FAULT)
        if now.left.freezes and not worker.frozen:
            still = with_worker(scene, number, worker._replace(frozen=True))._replace(left=used(now, "freezes"))
            yield Step(f"{name(worker)} freezes", still, Kind.FAULT)
