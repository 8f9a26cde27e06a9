import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from nats.js import JetStreamContext
from structlog.testing import capture_logs

from bus.broker import TIMING, Broker, announced, babbling, publish, told, waits_for_a_message, works
from conftest import eventually
from retake.bus.connection import Bus, open_bus
from retake.bus.errors import BusClosed, BusUnavailable
from retake.bus.messages import ProgressTick

pytestmark = pytest.mark.anyio


@contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    broker.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        broker.signal(signal.SIGCONT)


async def test_while_the_server_is_down_calls_fail_at_once_and_nothing_is_sent_later(
    own_bus: Bus, broker: Broker
) -> None:
    await own_bus.publish_part(announced(1))
    taken = await own_bus.fetch()
    assert taken
    await broker.child.stop()
    assert await eventually(lambda: fails(own_bus))

    started = time.monotonic()
    for call in (own_bus.publish_part(announced(2)), own_bus.check(), own_bus.waiting(), own_bus.ensure()):
        with pytest.raises(BusUnavailable):
            await call
    assert await own_bus.fetch(0.2) is None
    await own_bus.publish_progress(ProgressTick(workspace_id="w", job_id="j", part_id="1"))
    await taken.ack()

    assert time.monotonic() - started < 3
    await broker.start()
    assert await eventually(lambda: publish(own_bus, 3))
    assert await own_bus.waiting() == 2


async def fails(bus: Bus) -> bool:
    try:
        await bus.check()
    except BusUnavailable:
        return True
    return False


async def test_a_server_that_hangs_costs_a_publisher_no_more_than_its_patience(own_bus: Bus, broker: Broker) -> None:
    with frozen(broker):
        started = time.monotonic()
        with pytest.raises(BusUnavailable, match=r"part 1 within 0\.2 s"):
            await own_bus.publish_part(announced(1), patience=0.2)
        took = time.monotonic() - started

    assert took < 3
    await works(own_bus, 2)


async def test_a_server_that_hangs_costs_a_worker_no_more_than_its_patience_and_a_second(
    own_bus: Bus, broker: Broker
) -> None:
    with frozen(broker):
        started = time.monotonic()
        assert await own_bus.fetch(0.2) is None
        took = time.monotonic() - started

    assert took < 4
    await works(own_bus, 2)


async def test_closing_does_not_wait_for_a_server_that_hangs(broker: Broker) -> None:
    async with open_bus(broker.settings, TIMING, name="test") as bus:
        await bus.fetch(0.05)
        broker.signal(signal.SIGSTOP)
        started = time.monotonic()

    assert time.monotonic() - started < 5
    broker.signal(signal.SIGCONT)


async def test_a_drain_while_the_server_is_away_is_over_at_once(own_bus: Bus, broker: Broker) -> None:
    fetching = asyncio.create_task(own_bus.fetch(60))
    await broker.child.stop()
    await eventually(lambda: fails(own_bus))

    async with asyncio.timeout(2):
        await own_bus.stop_fetching()
        assert await fetching is None


async def test_a_connection_the_server_throws_out_for_good_says_so(own_bus: Bus, broker: Broker) -> None:
    closed = asyncio.create_task(own_bus.closed())
    broker.change_token("another")

    broker.signal(signal.SIGHUP)

    async with asyncio.timeout(10):
        await closed
    for call in (own_bus.publish_part(announced(1)), own_bus.fetch(60), own_bus.check(), own_bus.ensure()):
        with pytest.raises(BusClosed):
            await call


async def test_whoever_waits_for_a_message_or_a_tick_is_freed_when_the_connection_is_closed(
    own_bus: Bus, broker: Broker, jetstream: JetStreamContext
) -> None:
    fetching = asyncio.create_task(own_bus.fetch(60))
    await eventually(lambda: waits_for_a_message(jetstream))
    async with own_bus.watch_progress() as ticks:
        broker.change_token("another")
        broker.signal(signal.SIGHUP)

        async with asyncio.timeout(10):
            with pytest.raises(BusClosed):
                await fetching
            assert [tick async for tick in ticks] == []


async def test_a_token_changed_while_the_server_was_down_closes_the_connection(own_bus: Bus, broker: Broker) -> None:
    broker.kill()
    broker.change_token("another")

    async with asyncio.timeout(10):
        await own_bus.closed()

    with pytest.raises(BusClosed):
        await own_bus.fetch(60)


async def test_when_nats_py_itself_gives_up_trying_the_connection_is_closed(own_bus: Bus, broker: Broker) -> None:
    async def is_closed() -> bool:
        try:
            await own_bus.check()
        except BusClosed:
            return True
        except BusUnavailable:
            return False
        return False

    await broker.child.stop()
    async with babbling(broker.port):
        assert await eventually(is_closed)

    async with asyncio.timeout(1):
        await own_bus.closed()


async def test_leaving_the_bus_closes_it(broker: Broker) -> None:
    async with open_bus(broker.settings, TIMING, name="test") as bus:
        closed = asyncio.create_task(bus.closed())

    async with asyncio.timeout(5):
        await closed


async def test_one_outage_is_a_few_lines_in_the_log_however_many_tries_it_takes(own_bus: Bus, broker: Broker) -> None:
    async def tried() -> bool:
        return own_bus._line.client.server_pool[0].reconnects >= 5

    with capture_logs() as lines:
        await broker.child.stop()
        await eventually(tried)
        await broker.start()
        assert await eventually(lambda: publish(own_bus, 1))

    assert told(lines, "NATS is away") == told(lines, "NATS is back") == 1
    assert told(lines, "trouble with NATS") <= 3
