"""The dispatch protocol as a world: which actors move when, what must never be seen, and what counts as rest."""

from collections.abc import Iterator
from itertools import chain

from model import outside
from model.announce import broker, relay
from model.explore import Step
from model.guards import Guard, Law
from model.scene import LIMIT, At, Database, Lease, Rules, Scene, Setting, computed, ended, has_row
from model.upkeep import reaper, sweeper
from model.workers import workers
from retake.domain.states import PARTS, VARIATIONS, PartState, State, VariationState, Wish


class Dispatch:
    def __init__(self, setting: Setting, without: frozenset[Guard] = frozenset()) -> None:
        self._rules = Rules(setting, without)
        self.start = Scene(setting.left)

    def steps(self, now: Scene) -> Iterator[Step[Scene]]:
        rules = self._rules
        yield from chain(workers(rules, now), outside.leases(now))
        if rules.setting.broker:
            yield from broker(now)
        if now.database is not Database.DOWN:
            yield from chain(reaper(rules, now), outside.people(rules, now))
            if rules.setting.broker:
                yield from relay(rules, now)
            if rules.setting.sweeper:
                yield from sweeper(rules, now)
        yield from chain(outside.accidents(now), outside.database(now))

    def broken(self, before: Scene, step: Step[Scene]) -> Law | None:
        after = step.after
        moved = after.parts is not before.parts or after.variations is not before.variations
        return (_wrong_move(before, step) if moved else None) or self._wrong_state(after)

    def _wrong_state(self, now: Scene) -> Law | None:
        if now.job is not computed(now):
            return Law.COMPUTED
        if ended(now) and any(variation.state is VariationState.QUEUED for variation in now.variations):
            return Law.ALL_ENDED
        if any(part.failures > LIMIT for part in now.parts):
            return Law.ATTEMPTS
        if now.job is State.EXPIRED:
            return None
        scoped = self._rules.has(Guard.SCOPED_KEY)
        for index, variation in enumerate(now.variations):
            if variation.state is VariationState.COMPLETED:
                key = variation.claim if scoped else 0
                authors = [thing.author for thing in now.objects if (thing.variation, thing.key) == (index, key)]
                if authors != [variation.claim]:
                    return Law.ONE_CLAIM if authors else Law.NO_HOLE
        return None

    def at_rest(self, now: Scene) -> bool:
        running = any(part.state is PartState.RUNNING for part in now.parts)
        if not (ended(now) or (now.wish is Wish.PAUSE and not running)) or now.database is not Database.UP:
            return False
        quiet = all(worker.at is At.IDLE or worker.frozen for worker in now.workers)
        return quiet and not any(part.messages for part in now.parts) and not self._orphans(now)

    def _orphans(self, now: Scene) -> bool:
        scoped = self._rules.has(Guard.SCOPED_KEY)
        return self._rules.setting.sweeper and not all(has_row(now, thing, scoped=scoped) for thing in now.objects)

    def unkept(self, now: Scene) -> Law:
        if now.job is State.CANCELLING:
            return Law.NOT_CANCELLING
        if not ended(now):
            return Law.ENDS
        return Law.NO_ORPHAN if self._orphans(now) else Law.EMPTY_STREAM

    def picture(self, now: Scene) -> str:
        parts = ", ".join(f"{name} {part.state}" for name, part in zip(("inspect", "render"), now.parts, strict=False))
        takes = ", ".join(variation.state for variation in now.variations) or "none yet"
        return f"job {now.job}; wish {now.wish}; {parts}; takes {takes}"


def _wrong_move(before: Scene, step: Step[Scene]) -> Law | None:
    after, retry = step.after, step.story == outside.RETRY
    if step.claim and not any(p.state is PartState.RUNNING and p.claim == step.claim for p in before.parts):
        return Law.LOST_CLAIM
    for variation, moved in zip(before.variations, after.variations, strict=False):
        again = moved.state is VariationState.QUEUED
        if moved != variation and (moved.state not in VARIATIONS[variation.state] or (again and not retry)):
            return Law.ENDED_STAYS
    for old, new in zip(before.parts, after.parts, strict=False):
        if old.state is new.state:
            continue
        if old.state in {PartState.DONE, PartState.CANCELLED} and not retry:
            return Law.ENDED_STAYS
        if new.state not in PARTS[old.state]:
            return Law.LEGAL
        if new.state is PartState.RUNNING and before.wish is not Wish.RUN:
            return Law.NOTHING_NEW
        if new.failures > old.failures and old.lease is not Lease.PAST:
            return Law.ATTEMPTS
    if ended(before) and after.job is not before.job and step.story not in {outside.RETRY, outside.EXPIRE}:
        return Law.ENDED_STAYS
    return None
