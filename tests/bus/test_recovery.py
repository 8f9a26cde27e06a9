import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nats as nats_py
import pytest
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy
from structlog.testing import capture_logs

from bus.broker import TIMING, Broker, announced, babbling
from conftest import eventually
from retake.bus.connection import Bus, open_bus
from retake.bus.errors import BusClosed, BusMisconfigured, BusUnavailable
from retake.bus.messages import ProgressTick
from retake.bus.subjects import CONSUMER
from retake.metrics import REGISTRY

pytestmark = pytest.mark.anyio


def reconnects() -> float:
    return REGISTRY.get_sample_value("retake_bus_reconnects_total") or 0


async def publish(bus: Bus, number: int) -> bool:
    """As the relay does it: again, until NATS has it."""
    try:
        await bus.publish_part(announced(number))
    except BusUnavailable:
        return False
    return True


async def works(bus: Bus, number: int) -> None:
    assert await eventually(lambda: publish(bus, number))
    while (announcement := await eventually(bus.fetch)).message.part_id != str(number):
        await announcement.ack()
    await announcement.ack()


@pytest.fixture
async def jetstream(broker: Broker) -> AsyncIterator[JetStreamContext]:
    client = await nats_py.connect(broker.settings.url)
    yield client.jetstream()
    await client.close()


@contextmanager
def frozen(broker: Broker) -> Iterator[None]:
    broker.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        broker.signal(signal.SIGCONT)


async def waits_for_a_message(jetstream: JetStreamContext) -> bool:
    return bool((await jetstream.consumer_info("retake", CONSUMER)).num_waiting)


async def test_a_killed_server_that_comes_back_is_used_again(own_bus: Bus, broker: Broker) -> None:
    before = reconnects()
    await own_bus.publish_part(announced(1))

    broker.kill()

    await works(own_bus, 2)
    assert reconnects() == before + 1


async def test_what_was_published_before_a_crash_is_still_there(own_bus: Bus, broker: Broker) -> None:
    await own_bus.publish_part(announced(1))

    broker.kill()

    announcement = await eventually(own_bus.fetch)
    assert announcement.message.part_id == "1"


async def test_a_fetch_goes_on_over_a_crash_of_the_server(
    own_bus: Bus, broker: Broker, jetstream: JetStreamContext
) -> None:
    fetching = asyncio.create_task(own_bus.fetch(20))
    await eventually(lambda: waits_for_a_message(jetstream))

    broker.kill()
    assert await eventually(lambda: publish(own_bus, 1))

    announcement = await fetching
    assert announcement
    assert announcement.message.part_id == "1"


async def test_a_server_that_lost_its_store_gets_a_new_stream(own_bus: Bus, broker: Broker) -> None:
    fetching = asyncio.create_task(own_bus.fetch(20))

    await broker.wipe()
    assert await eventually(lambda: publish(own_bus, 1))

    announcement = await fetching
    assert announcement
    assert announcement.message.part_id == "1"


async def test_a_worker_alone_makes_the_stream_anew_after_a_wipe(own_bus: Bus, broker: Broker) -> None:
    fetching = asyncio.create_task(own_bus.fetch(20))

    await broker.wipe()

    client = await nats_py.connect(broker.settings.url)

    async def is_there() -> bool:
        try:
            return bool((await client.jetstream().consumer_info("retake", CONSUMER)).num_waiting)
        except nats_py.js.errors.APIError:
            return False

    assert await eventually(is_there)
    await client.close()
    await own_bus.stop_fetching()
    assert await fetching is None


async def test_a_stream_deleted_under_a_fetch_is_made_again(own_bus: Bus, jetstream: JetStreamContext) -> None:
    fetching = asyncio.create_task(own_bus.fetch(20))
    await eventually(lambda: waits_for_a_message(jetstream))

    await jetstream.delete_stream("retake")
    assert await eventually(lambda: publish(own_bus, 1))

    announcement = await fetching
    assert announcement
    assert announcement.message.part_id == "1"


async def test_a_publisher_alone_makes_a_deleted_stream_again(own_bus: Bus, jetstream: JetStreamContext) -> None:
    await jetstream.delete_stream("retake")

    await own_bus.publish_part(announced(1))

    assert await own_bus.waiting() == 1


async def test_a_consumer_deleted_under_a_fetch_is_made_again(own_bus: Bus, jetstream: JetStreamContext) -> None:
    fetching = asyncio.create_task(own_bus.fetch(20))
    await eventually(lambda: waits_for_a_message(jetstream))

    await jetstream.delete_consumer("retake", CONSUMER)
    await own_bus.publish_part(announced(1))

    announcement = await fetching
    assert announcement
    assert announcement.message.part_id == "1"


async def test_a_stream_spoilt_under_a_fetch_is_complained_about_until_it_is_mended(
    own_bus: Bus, jetstream: JetStreamContext
) -> None:
    await jetstream.delete_stream("retake")
    await jetstream.add_stream(name="retake", subjects=["retake.parts.*"], retention=RetentionPolicy.LIMITS)
    with capture_logs() as lines:
        assert await own_bus.fetch(0.2) is None
    with pytest.raises(BusMisconfigured, match="has retention limits"):
        await own_bus.check()

    await jetstream.delete_stream("retake")

    await works(own_bus, 1)
    assert told(lines, "no message can come")


async def test_a_probe_makes_a_deleted_stream_again(own_bus: Bus, jetstream: JetStreamContext) -> None:
    await jetstream.delete_stream("retake")

    await own_bus.check()

    assert await own_bus.waiting() == 0


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


def told(lines: list[Any], words: str) -> int:
    return sum(line["event"] == words and line["log_level"] != "debug" for line in lines)


async def test_ticks_flow_again_when_the_server_is_back(own_bus: Bus, broker: Broker) -> None:
    async with own_bus.watch_progress() as ticks:
        broker.kill()
        assert await eventually(lambda: publish(own_bus, 1))

        await own_bus.publish_progress(ProgressTick(workspace_id="w", job_id="j", part_id="1"))

        async with asyncio.timeout(5):
            assert (await anext(ticks)).part_id == "1"


async def test_a_server_that_starts_late_is_waited_for(tmp_path: Path) -> None:
    broker = Broker(tmp_path)

    async def start_late() -> None:
        await broker.child.start()

    opening = open_bus(broker.settings, TIMING, name="test", patience=10)
    bus, _ = await asyncio.gather(opening.__aenter__(), start_late())

    await bus.check()
    await opening.__aexit__(None, None, None)
    await broker.child.stop()


async def test_a_token_with_signs_of_its_own_is_understood(tmp_path: Path) -> None:
    broker = Broker(tmp_path, token="a/b+c@d:e%?#")
    await broker.child.start()

    async with open_bus(broker.settings, TIMING, name="test") as bus:
        await bus.check()

    await broker.child.stop()
