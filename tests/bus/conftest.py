from collections.abc import AsyncIterator
from pathlib import Path

import nats as nats_py
import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from bus.broker import TIMING, Broker
from retake.bus.connection import Bus, open_bus
from retake.settings import Nats


@pytest.fixture
async def bus(nats: Nats) -> AsyncIterator[Bus]:
    async with open_bus(nats, TIMING, name="test") as opened:
        yield opened


@pytest.fixture
async def raw(nats: Nats) -> AsyncIterator[Client]:
    """Any NATS client, on the server of `nats`."""
    client = await nats_py.connect(nats.url)
    yield client
    await client.close()


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    running = Broker(tmp_path)
    await running.child.start()
    yield running
    await running.child.stop()


@pytest.fixture
async def own_bus(broker: Broker) -> AsyncIterator[Bus]:
    """A bus on `broker`."""
    async with open_bus(broker.settings, TIMING, name="test") as opened:
        yield opened


@pytest.fixture
async def jetstream(broker: Broker) -> AsyncIterator[JetStreamContext]:
    """The stream of `broker`, in other hands."""
    client = await nats_py.connect(broker.settings.url)
    yield client.jetstream()
    await client.close()
