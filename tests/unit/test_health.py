"""Readiness: what each part answers, and how soon a change shows."""

import json
import time

import httpx
import pytest

from conftest import eventually
from retake.health import Health, serve

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


async def test_a_page_that_a_process_adds_is_json_and_503_when_it_has_no_answer() -> None:
    async def works() -> dict[str, object]:
        return {"parts": 3}

    async def fails() -> dict[str, object]:
        raise OSError("postgresql://retake:secret@database")

    async with await serve("127.0.0.1", 0, Health({}), {"/works": works, "/fails": fails}) as server:
        url = "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())
        async with httpx.AsyncClient() as client:
            answers = [await client.get(f"{url}/{page}") for page in ("works", "fails", "neither")]

    assert [answer.status_code for answer in answers] == [200, 503, 404]
    assert json.loads(answers[0].text) == {"parts": 3}
    assert "secret" not in answers[1].text
