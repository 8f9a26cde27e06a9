"""How a worker that is told to leave decides what it can still finish."""

import asyncio
import time
from collections.abc import Callable

import pytest

from retake_worker.departure import Departure, seconds_left

pytestmark = pytest.mark.anyio


async def seconds_until_given_back(departure: Departure, share: Callable[[], float]) -> float:
    began = time.monotonic()
    async with asyncio.timeout(20):
        await departure.out_of_time(share)
    return time.monotonic() - began


def test_what_is_left_takes_as_long_as_it_did_since_then() -> None:
    assert seconds_left(0.25, 0.5, 10) == 20
    assert seconds_left(0.5, 1, 10) == 0
    assert seconds_left(0.5, 0.5, 10) is None


async def test_without_a_grace_everything_is_given_back_at_once() -> None:
    departure = Departure(0)
    departure.begin()

    assert await seconds_until_given_back(departure, lambda: 0.99) < 1


async def test_what_would_take_too_long_is_given_back_long_before_the_grace_is_over() -> None:
    departure, began = Departure(1000, look=0.05), time.monotonic()
    departure.begin()

    assert await seconds_until_given_back(departure, lambda: (time.monotonic() - began) / 1e5) < 10


async def test_what_does_not_move_has_all_of_the_grace_and_no_more() -> None:
    departure = Departure(0.5, look=0.05)
    departure.begin()

    assert 0.5 <= await seconds_until_given_back(departure, lambda: 0.0) < 10


async def test_nothing_is_given_back_before_the_worker_is_told() -> None:
    departure = Departure(0)
    waiting = asyncio.create_task(departure.out_of_time(lambda: 0.0))

    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    departure.begin()
    await waiting

    assert not done


async def test_being_told_again_does_not_begin_the_grace_anew() -> None:
    departure = Departure(0.2, look=0.01)
    departure.begin()
    waiting = asyncio.create_task(departure.out_of_time(lambda: 0.0))

    async with asyncio.timeout(10):
        while not waiting.done():
            departure.begin()
            await asyncio.sleep(0)
