"""The protocol with all its guards is safe and live, and no guard can be taken away unnoticed."""

import pytest

from model.dispatch import Dispatch
from model.explore import explore
from model.guards import Guard, Law
from model.scene import Left, Setting
from model.worlds import FALLS, WORLDS
from retake.domain.states import PARTS, VARIATIONS, State

WHOLE: frozenset[Guard] = frozenset()


@pytest.mark.parametrize("name", WORLDS)
def test_the_whole_protocol_is_safe_and_live(name: str) -> None:
    world = WORLDS[name](WHOLE)

    verdict = explore(world)

    assert verdict.violation is None, f"\n{verdict}"


@pytest.mark.parametrize(("guard", "law", "name"), [(guard, *fall) for guard, fall in FALLS.items()], ids=FALLS)
def test_the_model_tells_what_breaks_without(guard: Guard, law: Law, name: str) -> None:
    world = WORLDS[name](frozenset({guard}))

    verdict = explore(world)

    assert verdict.violation is not None, f"nothing breaks without {guard}: {verdict}"
    assert verdict.violation.law == law, f"\n{verdict}"


def test_every_guard_is_taken_away_and_every_letter_has_one() -> None:
    letters = {guard.partition(":")[0] for guard in FALLS}

    assert set(FALLS) == set(Guard)
    assert letters >= set("abcdefghijklmn")


def test_without_generations_the_timer_still_brings_every_part_home() -> None:
    world = WORLDS["two parts and a broker that forgets"](frozenset({Guard.GENERATION}))

    verdict = explore(world)

    assert verdict.violation is None, f"late, but not lost, was expected\n{verdict}"


def test_the_model_takes_every_step_of_the_state_page_and_sees_every_job_state() -> None:
    world = Dispatch(Setting(variations=1, left=Left(kills=1, errors=1, wishes=2)))

    states = explore(world).states
    steps = [(now, step.after) for now in states for step in world.steps(now)]
    parts = {(a.state, b.state) for old, new in steps for a, b in zip(old.parts, new.parts, strict=False)}
    variations = {(a.state, b.state) for o, n in steps for a, b in zip(o.variations, n.variations, strict=False)}

    assert {(old, new) for old, new in parts if old is not new} == {(old, new) for old in PARTS for new in PARTS[old]}
    assert {(o, n) for o, n in variations if o is not n} == {(o, n) for o in VARIATIONS for n in VARIATIONS[o]}
    assert {now.job for now in states} == set(State)
