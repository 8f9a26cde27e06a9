import asyncio
from pathlib import Path

import nats as nats_py
import pytest
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy
from structlog.testing import capture_logs

from bus.broker import TIMING, Broker, announced, publish, told, waits_for_a_message, works
from conftest import eventually
from retake.bus.connection import Bus, open_bus
from retake.bus.errors import BusMisconfigured, BusUnavailable
from retake.bus.messages import ProgressTick
from retake.bus.subjects import CONSUMER
from retake.metrics import REGISTRY

pytestmark = pytest.mark.anyio


def reconnects() -> float:
    return REGISTRY.get_sample_value("retake_bus_reconnects_total") or 0


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


async def test_a_stream_that_acknowledges_nothing_is_made_anew(own_bus: Bus, jetstream: JetStreamContext) -> None:
    (info,) = await jetstream.streams_info()
    await jetstream.update_stream(info.config.evolve(no_ack=True))

    async def goes_through() -> bool:
        try:
            await own_bus.publish_part(announced(1), patience=0.3)
        except BusUnavailable:
            return False
        return True

    assert not await goes_through()
    await eventually(goes_through)

    (info,) = await jetstream.streams_info()
    assert not info.config.no_ack
    announcement = await own_bus.fetch()
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
