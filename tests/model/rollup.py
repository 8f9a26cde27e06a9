"""Rule 0 taken apart: the last two finishers of a job and a person's cancel, statement by statement.

Under READ COMMITTED a statement sees what is committed and what its own transaction wrote. An UPDATE of the job row
waits for its lock, but writes what was computed before the wait.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model.explore import Kind, Step
from model.guards import Guard, Law
from retake.domain.states import ENDED, PartState, State, VariationState, Wish, job_state, video_state

FINISHERS = (0, 1)
CANCEL = 2
NAMES = ("the first finisher", "the last finisher", "a person's cancel")
NOBODY = -1


class At(StrEnum):
    OPEN = "open"
    LOCKED = "locked"
    COMPUTED = "computed"
    WRITTEN = "written"
    COMMITTED = "committed"


class Transaction(NamedTuple):
    at: At = At.OPEN
    job: State = State.PROCESSING  # what it computed


class Rows(NamedTuple):
    """What is committed, and who holds the job row's lock."""

    done: frozenset[int] = frozenset()
    wish: Wish = Wish.RUN
    job: State = State.PROCESSING
    lock: int = NOBODY
    transactions: tuple[Transaction, ...] = (Transaction(),) * len(NAMES)
    crashes: int = 1


def computed(done: frozenset[int], wish: Wish) -> State:
    parts = [PartState.DONE if part in done else PartState.RUNNING for part in FINISHERS]
    return job_state(wish, [video_state(parts, {VariationState.COMPLETED}, error=False)])


class RollUp:
    start = Rows()

    def __init__(self, without: frozenset[Guard] = frozenset()) -> None:
        self._locks = Guard.JOB_LOCK not in without

    def steps(self, now: Rows) -> Iterator[Step[Rows]]:
        for who, transaction in enumerate(now.transactions):
            if step := self._next(now, who, transaction):
                yield step
            if now.crashes and transaction.at not in {At.OPEN, At.COMMITTED}:
                lock = NOBODY if now.lock == who else now.lock
                back = _at(now, who, Transaction())._replace(lock=lock, crashes=now.crashes - 1)
                yield Step(f"{NAMES[who]} loses its connection: rolled back, and tried again", back, Kind.FAULT)

    def _next(self, now: Rows, who: int, mine: Transaction) -> Step[Rows] | None:
        name, free = NAMES[who], now.lock in {NOBODY, who}
        kind = Kind.PERSON if who == CANCEL and mine.at is At.OPEN else Kind.WORK
        match mine.at:
            case At.OPEN if self._locks:
                locked = _at(now, who, Transaction(At.LOCKED))._replace(lock=who)
                return Step(f"{name} locks the job row", locked, kind) if free else None
            case At.OPEN | At.LOCKED:
                if who == CANCEL and now.job in ENDED:
                    return None if mine.at is At.OPEN else Step(f"{name} is refused: the job has ended", _closed(now))
                job = computed(*_written(now, who))
                after = _at(now, who, Transaction(At.COMPUTED, job))
                return Step(f"{name} moves its rows, reads the others, and computes {job}", after, kind)
            case At.COMPUTED:
                after = _at(now, who, mine._replace(at=At.WRITTEN))._replace(lock=who)
                return Step(f"{name} writes {mine.job} to the job row", after) if free else None
            case At.WRITTEN:
                done, wish = _written(now, who)
                after = _at(now, who, Transaction(At.COMMITTED))
                return Step(f"{name} commits", after._replace(done=done, wish=wish, job=mine.job, lock=NOBODY))
            case At.COMMITTED:
                return None

    def broken(self, before: Rows, step: Step[Rows]) -> Law | None:
        now = step.after
        quiet = all(transaction.at in {At.OPEN, At.COMMITTED} for transaction in now.transactions)
        if quiet and now.job is not computed(now.done, now.wish):
            return Law.COMPUTED
        return Law.ENDED_STAYS if before.job in ENDED and now.job is not before.job else None

    def at_rest(self, now: Rows) -> bool:
        return now.job in ENDED and now.lock == NOBODY

    def unkept(self, now: Rows) -> Law:
        return Law.NOT_CANCELLING if now.job is State.CANCELLING else Law.ENDS

    def picture(self, now: Rows) -> str:
        return f"job {now.job}; wish {now.wish}; {len(now.done)} of 2 parts done"


def _written(now: Rows, who: int) -> tuple[frozenset[int], Wish]:
    """What this transaction sees: the committed rows and its own change."""
    return (now.done, Wish.CANCEL) if who == CANCEL else (now.done | {who}, now.wish)


def _at(now: Rows, who: int, transaction: Transaction) -> Rows:
    return now._replace(transactions=(*now.transactions[:who], transaction, *now.transactions[who + 1 :]))


def _closed(now: Rows) -> Rows:
    return _at(now, CANCEL, Transaction(At.COMMITTED))._replace(lock=NOBODY)
