"""Rule 1: a client sends one request up to three times under one Idempotency-Key; handlers stall, die, lose replies.

Each attempt stores bytes of its own. At most one may become the job; the others answer from the key's row. A COMMIT
whose reply is lost may land late: until then its transaction holds the locks of the rows it wrote.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model.explore import Kind, Step
from model.guards import Guard, Law

NOBODY = -1


class At(StrEnum):
    UNSENT = "unsent"
    SENT = "sent"
    OWNER = "owner"  # holds the key's row; bytes are coming
    STORED = "stored"  # bytes are in the bucket, the row is not written
    DOUBT = "doubt"  # COMMIT was sent, no reply came
    ANSWERED = "answered"
    DEAD = "dead"


class Key(NamedTuple):
    owner: int = NOBODY
    lapsed: bool = False
    answer: int = NOBODY  # the attempt that became the job


class Desk(NamedTuple):
    key: Key = Key()
    attempts: tuple[At, ...] = (At.SENT, At.UNSENT, At.UNSENT)
    answers: frozenset[int] = frozenset()  # jobs the client was told of
    jobs: frozenset[int] = frozenset()
    bytes: frozenset[int] = frozenset()
    pending: int = NOBODY  # whose COMMIT is on its way
    stalls: int = 1
    deaths: int = 1
    lost_replies: int = 1


class Accept:
    start = Desk()

    def __init__(self, without: frozenset[Guard] = frozenset()) -> None:
        self._compares = Guard.OWNER not in without
        self._reads_again = Guard.REREAD not in without
        self._waits = Guard.REREAD_LOCK not in without

    def steps(self, now: Desk) -> Iterator[Step[Desk]]:
        for who, at in enumerate(now.attempts):
            match at:
                case At.UNSENT:
                    if who == 0 or now.attempts[who - 1] is not At.UNSENT:
                        yield Step(f"the client sends attempt {who + 1}", _at(now, who, At.SENT))
                    continue
                case At.SENT if now.pending == NOBODY:
                    yield from _takes_key(now, who)
                case At.OWNER:
                    yield Step(f"attempt {who + 1} stores its bytes", _stored(now, who))
                case At.STORED if now.pending == NOBODY:
                    yield from self._accepts(now, who)
                case At.DOUBT if now.pending == NOBODY or not (self._reads_again and self._waits):
                    yield self._looks_back(now, who)
                case At.DEAD if now.pending == NOBODY and who in now.bytes - now.jobs:
                    yield Step(f"the sweep deletes the bytes of attempt {who + 1}", _dropped(now, who))
            yield from _accidents(now, who, at)
        if now.pending != NOBODY:
            landed = _accepted(now, now.pending)._replace(pending=NOBODY)
            yield Step(f"the late COMMIT of attempt {now.pending + 1} lands", landed)
            yield Step(f"the COMMIT of attempt {now.pending + 1} never lands", now._replace(pending=NOBODY))
        if not now.key.lapsed and now.key.owner != NOBODY and now.attempts[now.key.owner] is At.DEAD:
            yield Step("the key's row lapses", now._replace(key=now.key._replace(lapsed=True)))

    def _accepts(self, now: Desk, who: int) -> Iterator[Step[Desk]]:
        name, key = f"attempt {who + 1}", now.key
        if self._compares and (key.owner != who or key.answer != NOBODY):
            back = _dropped(now, who)
            if key.answer == NOBODY:
                yield Step(f"{name} finds another owner, accepts nothing, is sent again", _at(back, who, At.SENT))
            else:
                yield Step(f"{name} finds the answer, accepts nothing", _answered(back, who, key.answer))
            return
        yield Step(f"{name} accepts its job", _answered(_accepted(now, who), who, who))
        if now.lost_replies:
            doubt = _at(now, who, At.DOUBT)._replace(pending=who, lost_replies=now.lost_replies - 1)
            yield Step(f"{name} sends COMMIT and loses the connection", doubt, Kind.FAULT)

    def _looks_back(self, now: Desk, who: int) -> Step[Desk]:
        if not self._reads_again:
            return Step(f"attempt {who + 1} deletes its bytes without looking", _at(_dropped(now, who), who, At.DEAD))
        if who in now.jobs:
            return Step(f"attempt {who + 1} reads that its job exists", _answered(now, who, who))
        return Step(f"attempt {who + 1} reads that its job does not exist", _at(_dropped(now, who), who, At.DEAD))

    def broken(self, before: Desk, step: Step[Desk]) -> Law | None:
        now = step.after
        if len(now.jobs | now.answers) > 1:
            return Law.ONE_JOB
        return None if now.jobs <= now.bytes and now.answers <= now.jobs else Law.NOT_LOST

    def at_rest(self, now: Desk) -> bool:
        over = all(at in {At.UNSENT, At.ANSWERED, At.DEAD} for at in now.attempts)
        return over and bool(now.answers) and now.bytes == now.jobs

    def unkept(self, now: Desk) -> Law:
        return Law.NO_ORPHAN if now.answers else Law.ENDS

    def picture(self, now: Desk) -> str:
        return f"attempts {', '.join(now.attempts)}; {len(now.jobs)} jobs; {len(now.bytes)} with bytes"


def _takes_key(now: Desk, who: int) -> Iterator[Step[Desk]]:
    name, key = f"attempt {who + 1}", now.key
    owned = _at(now, who, At.OWNER)._replace(key=Key(owner=who))
    if key.answer != NOBODY:
        yield Step(f"{name} gets the stored answer", _answered(now, who, key.answer))
    elif key.owner in {NOBODY, who}:
        yield Step(f"{name} takes the key", owned)
    elif key.lapsed:
        yield Step(f"{name} takes the lapsed key over", owned)


def _accidents(now: Desk, who: int, at: At) -> Iterator[Step[Desk]]:
    if at in {At.ANSWERED, At.DEAD, At.UNSENT}:
        return
    if now.deaths:
        after = _at(now, who, At.DEAD)._replace(deaths=now.deaths - 1)
        yield Step(f"the handler of attempt {who + 1} dies", after, Kind.FAULT)
    if now.stalls and now.key.owner == who and not now.key.lapsed and at is not At.SENT:
        after = now._replace(key=now.key._replace(lapsed=True), stalls=now.stalls - 1)
        yield Step(f"attempt {who + 1} stalls until its key lapses", after, Kind.FAULT)


def _at(now: Desk, who: int, at: At) -> Desk:
    return now._replace(attempts=(*now.attempts[:who], at, *now.attempts[who + 1 :]))


def _stored(now: Desk, who: int) -> Desk:
    return _at(now, who, At.STORED)._replace(bytes=now.bytes | {who})


def _accepted(now: Desk, who: int) -> Desk:
    return now._replace(jobs=now.jobs | {who}, key=now.key._replace(answer=who))


def _dropped(now: Desk, who: int) -> Desk:
    return now._replace(bytes=now.bytes - {who})


def _answered(now: Desk, who: int, job: int) -> Desk:
    return _at(now, who, At.ANSWERED)._replace(answers=now.answers | {job})
