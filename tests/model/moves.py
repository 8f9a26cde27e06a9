"""The transactions of the protocol: each is one atomic step of the world, as the job row's lock makes it (rule 0).

Whether that lock is needed is asked in rollup.py, where transactions come apart into statements.
"""

from model.guards import Guard
from model.scene import (
    INSPECT,
    LIMIT,
    NOTHING,
    RENDER,
    Lease,
    Part,
    Rules,
    Scene,
    Variation,
    Worker,
    holds,
    next_queued,
    settled,
    with_part,
    with_variation,
)
from retake.domain.states import PartState, VariationState, Wish, requeued


def new_generation(rules: Rules, scene: Scene, index: int) -> Scene:
    """Not announced; and under a Msg-Id the broker has not seen (rule 3)."""
    part, relay = scene.parts[index]._replace(announced=False), scene.relay
    if rules.has(Guard.GENERATION):
        part = part._replace(known=False)
        relay = relay._replace(stale=relay.stale or relay.part == index)
    return with_part(scene, index, part)._replace(relay=relay)


def queue(rules: Rules, scene: Scene, index: int, guard: Guard, failures: int) -> Scene:
    """Into queued, or where the wish sends it instead (rules 3, 8, 9)."""
    state = requeued(scene.wish) if rules.has(guard) else PartState.QUEUED
    part = scene.parts[index]._replace(state=state, claim=0, lease=Lease.NONE, failures=failures)
    return new_generation(rules, with_part(scene, index, part), index)


def claimable(scene: Scene, index: int) -> bool:
    return scene.parts[index].state is PartState.QUEUED and scene.wish is Wish.RUN


def claim(scene: Scene, index: int) -> Scene:
    """Rule 4. The number comes from one sequence and is never used again."""
    part = scene.parts[index]._replace(
        state=PartState.RUNNING, claim=scene.claims + 1, lease=Lease.LIVE, announced=False
    )
    return settled(with_part(scene, index, part)._replace(claims=scene.claims + 1))


def fenced(rules: Rules, scene: Scene, worker: Worker) -> bool:
    if rules.has(Guard.FENCE):
        return holds(scene, worker)
    return scene.parts[worker.part].state is PartState.RUNNING


def done(scene: Scene, index: int) -> Scene:
    part = scene.parts[index]._replace(state=PartState.DONE, claim=0, lease=Lease.NONE)
    return with_part(scene, index, part)


def commit_inspect(rules: Rules, scene: Scene) -> Scene:
    """Rule 7: the inspect part ends, variations and their render part begin, under cancel as cancelled."""
    born = requeued(scene.wish)
    if not rules.setting.variations:
        return settled(done(scene, INSPECT))
    part = Part(born if rules.has(Guard.INSPECT_PARTS) else PartState.QUEUED)
    variation = Variation(
        VariationState(born) if rules.has(Guard.INSPECT_VARIATIONS) else VariationState.QUEUED,
    )
    planned = done(scene, INSPECT)._replace(variations=(variation,) * rules.setting.variations)
    return settled(planned._replace(parts=(planned.parts[INSPECT], part)))


def bad_input(scene: Scene) -> Scene:
    return settled(done(scene, INSPECT)._replace(error=True))


def commit_variation(rules: Rules, scene: Scene, worker: Worker, state: VariationState) -> Scene:
    """Rule 7. Where the variation is no longer queued, its row is left alone."""
    queued = scene.variations[worker.variation].state is VariationState.QUEUED
    if rules.has(Guard.ONLY_QUEUED) and not queued:
        return scene
    author = worker.claim if state is VariationState.COMPLETED else 0
    return settled(with_variation(scene, worker.variation, Variation(state, author)))


def finish(scene: Scene) -> Scene:
    return settled(done(scene, RENDER))


def release(rules: Rules, scene: Scene, index: int) -> Scene:
    """Rules 5 and 9: the worker gives the part back; nobody failed."""
    return settled(queue(rules, scene, index, Guard.RELEASE, scene.parts[index].failures))


def reap(rules: Rules, scene: Scene, index: int) -> Scene:
    """Rule 8: the worker is lost, which is an attempt; the last one fails what is left."""
    failures = scene.parts[index].failures + 1
    if failures < LIMIT:
        return settled(queue(rules, scene, index, Guard.REAP, failures))
    lost = done(scene, index)
    lost = with_part(lost, index, lost.parts[index]._replace(failures=failures))
    if index == INSPECT:
        return settled(lost._replace(error=True))
    return settled(lost._replace(variations=_turned(lost, {VariationState.QUEUED}, VariationState.FAILED)))


def stop(rules: Rules, scene: Scene, wish: Wish) -> Scene:
    """Cancel and expire take everything queued along, in this transaction."""
    scene = scene._replace(wish=wish)
    if rules.has(Guard.CANCEL_PARTS):
        for index, part in enumerate(scene.parts):
            if part.state is PartState.QUEUED:
                scene = with_part(scene, index, part._replace(state=PartState.CANCELLED, announced=False))
    if rules.has(Guard.CANCEL_VARIATIONS):
        turned = _turned(scene, {VariationState.QUEUED}, VariationState.CANCELLED)
        scene = scene._replace(variations=turned)
    return settled(scene)


def pause(scene: Scene) -> Scene:
    parts = tuple(part._replace(announced=False) for part in scene.parts)
    return settled(scene._replace(wish=Wish.PAUSE, parts=parts))


def resume(rules: Rules, scene: Scene) -> Scene:
    scene = scene._replace(wish=Wish.RUN)
    for index, part in enumerate(scene.parts):
        if part.state is PartState.QUEUED:
            scene = new_generation(rules, scene, index)
    return settled(scene)


def to_retry(scene: Scene) -> bool:
    if scene.variations:
        return any(variation.state is not VariationState.COMPLETED for variation in scene.variations)
    return scene.error or scene.parts[INSPECT].state is PartState.CANCELLED


def retry(rules: Rules, scene: Scene) -> Scene:
    """A person's: failed and cancelled variations once more, the inspect part only where there are none yet."""
    unfinished = {VariationState.FAILED, VariationState.CANCELLED}
    turned = _turned(scene, unfinished, VariationState.QUEUED)
    scene = scene._replace(wish=Wish.RUN, error=False, variations=turned)
    again = INSPECT if next_queued(scene) == NOTHING else RENDER
    return settled(queue(rules, scene, again, Guard.RELEASE, 0))


def _turned(scene: Scene, old: set[VariationState], new: VariationState) -> tuple[Variation, ...]:
    return tuple(row._replace(state=new) if row.state in old else row for row in scene.variations)
