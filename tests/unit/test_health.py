"""Readiness: what each part answers, and how soon a change shows."""

import time

import pytest

from conftest import eventually
from retake.health import Health

pytestmark = pytest.mark.anyio


async def test_a_part_that_works_is_not_asked_again_by_the_next_probe() -> None:
    asked = []

    async def check() -> None:
        asked.append("once")

    health = Health({"part": check})
    answers = [await health.parts(), await health.parts()]

    assert answers == [{"part": True}] * 2
    assert asked == ["once"]


async def test_a_part_that_failed_is_asked_again_soon() -> None:
    answers = iter([False])

    async def check() -> None:
        if not next(answers, True):
            raise OSError("not yet")

    health = Health({"part": check})
    first, began = await health.parts(), time.monotonic()

    async def works() -> bool:
        return (await health.parts())["part"]

    await eventually(works)

    assert first == {"part": False}
    assert time.monotonic() - began < 3
