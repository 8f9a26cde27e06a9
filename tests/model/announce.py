"""Relay and broker (rules 2 and 3): a message is a hint, which may be lost, late, doubled or swallowed."""

from collections.abc import Iterator

from model import moves
from model.explore import Kind, Step
from model.guards import Guard
from model.scene import NOTHING, PARTS, At, Relay, Rules, Scene, Worker, used, with_part, with_worker
from retake.domain.states import PartState

MESSAGES = 2  # of one part in the stream; more add nothing


def relay(rules: Rules, now: Scene) -> Iterator[Step[Scene]]:
    """Rule 2: read, publish, mark, as three steps; the timer of rule 3."""
    for index, part in enumerate(now.parts):
        if not moves.claimable(now, index):
            continue
        if now.relay.part == NOTHING and not part.announced:
            yield Step(f"the relay reads that {PARTS[index]} waits", now._replace(relay=Relay(index)))
        if part.announced and rules.has(Guard.TIMER):
            again = moves.new_generation(rules, now, index)
            again = with_part(again, index, again.parts[index]._replace(known=False))
            yield Step(f"{PARTS[index]} waited too long and is to be announced again", again)
    if now.relay.part == NOTHING:
        return
    if now.relay.published:
        yield _mark(now)
    else:
        yield _publish(now)
    if now.left.relay_deaths:
        yield Step("the relay dies", now._replace(relay=Relay(), left=used(now, "relay_deaths")), Kind.FAULT)


def _publish(now: Scene) -> Step[Scene]:
    index, part = now.relay.part, now.parts[now.relay.part]
    after = now._replace(relay=now.relay._replace(published=True))
    if part.known:
        return Step(f"the relay publishes {PARTS[index]}, and the broker swallows the known Msg-Id", after)
    part = part._replace(messages=min(part.messages + 1, MESSAGES), known=not now.relay.stale)
    return Step(f"the relay publishes {PARTS[index]}", with_part(after, index, part))


def _mark(now: Scene) -> Step[Scene]:
    index, part = now.relay.part, now.parts[now.relay.part]
    after = now._replace(relay=Relay())
    if part.state is not PartState.QUEUED or now.relay.stale:
        return Step(f"the relay finds that {PARTS[index]} has moved on, and does not mark it", after)
    return Step(f"the relay marks {PARTS[index]} as announced", with_part(after, index, part._replace(announced=True)))


def broker(now: Scene) -> Iterator[Step[Scene]]:
    for index, part in enumerate(now.parts):
        if not part.messages:
            continue
        taken = with_part(now, index, part._replace(messages=part.messages - 1))
        for number, worker in enumerate(now.workers):
            if worker.at is At.IDLE and not worker.frozen:
                story, told = f"a worker gets a message about {PARTS[index]}", Worker(At.TOLD, index)
                yield Step(story, with_worker(taken, number, told))
                if now.left.duplicates:
                    kept = with_worker(now, number, told)._replace(left=used(now, "duplicates"))
                    yield Step(f"{story}, and the broker keeps it", kept, Kind.FAULT)
    if now.left.wipes and any(part.messages for part in now.parts):
        parts = tuple(part._replace(messages=0) for part in now.parts)
        yield Step("the broker loses every message", now._replace(parts=parts, left=used(now, "wipes")), Kind.FAULT)
