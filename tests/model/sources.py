"""A source nobody needs is swept while two people come to need it: more takes of an old video, and a retry.

The source's row is the lock. Statements are steps of their own, and a statement sees what was committed when it began,
also when it then waited for a lock.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from model.explore import Kind, Step
from model.guards import Guard, Law

PEOPLE = ("more takes", "the retry")


class At(StrEnum):
    OPEN = "open"
    BEGUN = "begun"  # its locking statement has its snapshot, and waits
    LOCKED = "locked"
    CHECKED = "checked"
    CLOSED = "closed"


class Shelf(NamedTuple):
    ready: bool = True
    bytes: bool = True
    needs: frozenset[int] = frozenset()  # whose video waits for it, committed
    people: tuple[At, ...] = (At.OPEN,) * len(PEOPLE)
    sweep: At = At.OPEN
    saw_needs: bool = False  # the snapshot of the statement that locked
    deaths: int = 1


class Sources:
    start = Shelf()

    def __init__(self, without: frozenset[Guard] = frozenset()) -> None:
        self._locks = Guard.SOURCE_LOCK not in without
        self._new_statement = Guard.NEW_STATEMENT not in without

    def steps(self, now: Shelf) -> Iterator[Step[Shelf]]:
        for who, at in enumerate(now.people):
            if step := self._person(now, who, at):
                yield step
            if who in now.needs:
                yield Step(f"the video of {PEOPLE[who]} is done with the source", now._replace(needs=now.needs - {who}))
        if step := self._sweeps(now):
            yield step
        if not now.ready and now.bytes:
            yield Step("the sweep deletes the bytes of the source that is gone", now._replace(bytes=False))
        if now.deaths and now.sweep in {At.LOCKED, At.CHECKED}:
            yield Step("the sweep dies", now._replace(sweep=At.OPEN, deaths=now.deaths - 1), Kind.FAULT)

    def _person(self, now: Shelf, who: int, at: At) -> Step[Shelf] | None:
        """FOR SHARE, require ready, write the row that needs the source, commit."""
        name = PEOPLE[who]
        alone = self._locks and now.sweep in {At.LOCKED, At.CHECKED}
        match at:
            case At.OPEN if not alone:
                if not now.ready:
                    return Step(f"{name} is refused: the source is gone", _at(now, who, At.CLOSED), Kind.PERSON)
                return Step(f"{name} reads that the source is ready", _at(now, who, At.LOCKED), Kind.PERSON)
            case At.LOCKED:
                after = _at(now, who, At.CLOSED)._replace(needs=now.needs | {who})
                return Step(f"{name} commits, and now needs the source", after)
            case _:
                return None

    def _sweeps(self, now: Shelf) -> Step[Shelf] | None:
        """FOR UPDATE, then in a new statement look for needs, set gone, commit; bytes later."""
        shared = self._locks and At.LOCKED in now.people
        match now.sweep:
            case At.OPEN if now.ready and not now.needs:
                begun = now._replace(sweep=At.BEGUN, saw_needs=bool(now.needs))
                return Step("the sweep asks for the source, which nobody needs", begun)
            case At.BEGUN if not shared:
                return Step("the sweep locks the source", now._replace(sweep=At.LOCKED))
            case At.LOCKED:
                needed = bool(now.needs) if self._new_statement else now.saw_needs
                if needed:
                    return Step("the sweep finds it needed, and lets it be", now._replace(sweep=At.OPEN))
                return Step("the sweep sees no need, and sets it gone", now._replace(sweep=At.CHECKED))
            case At.CHECKED:
                return Step("the sweep commits", now._replace(sweep=At.CLOSED, ready=False))
            case _:
                return None

    def broken(self, before: Shelf, step: Step[Shelf]) -> Law | None:
        now = step.after
        return Law.NOT_LOST if now.needs and not now.bytes else None

    def at_rest(self, now: Shelf) -> bool:
        return not (now.needs or now.bytes or now.ready or At.LOCKED in now.people)

    def unkept(self, now: Shelf) -> Law:
        return Law.NO_ORPHAN

    def picture(self, now: Shelf) -> str:
        place = "ready" if now.ready else "gone"
        return f"source {place}; bytes {'there' if now.bytes else 'deleted'}; needed by {len(now.needs)}"


def _at(now: Shelf, who: int, at: At) -> Shelf:
    return now._replace(people=(*now.people[:who], at, *now.people[who + 1 :]))
