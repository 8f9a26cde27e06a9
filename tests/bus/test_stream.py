import asyncio

import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy, StorageType, StreamConfig

from bus.broker import TIMING
from retake.bus.connection import Bus, open_bus
from retake.bus.errors import BusMisconfigured
from retake.bus.subjects import CONSUMER, Subjects
from retake.domain.timing import Timing
from retake.settings import Nats

pytestmark = pytest.mark.anyio


async def test_the_stream_is_a_bounded_work_queue_on_disk(bus: Bus, raw: Client, nats: Nats) -> None:
    config = (await raw.jetstream().stream_info(nats.stream)).config

    assert config.subjects == [f"{nats.stream}.parts.*"]
    assert (config.retention, config.storage) == (RetentionPolicy.WORK_QUEUE, StorageType.FILE)
    assert (config.duplicate_window, config.max_age) == (120, 1200)
    assert (config.max_msgs, config.max_msg_size, config.max_bytes) == (10_000, 8192, -1)


async def test_the_consumer_delivers_until_acknowledged_however_often(bus: Bus, raw: Client, nats: Nats) -> None:
    config = (await raw.jetstream().consumer_info(nats.stream, CONSUMER)).config

    assert config.durable_name == CONSUMER
    assert config.ack_policy == AckPolicy.EXPLICIT
    assert (config.ack_wait, config.max_deliver, config.max_ack_pending) == (30, -1, 1000)


async def test_its_times_are_those_of_the_protocol_scaled(raw: Client, nats: Nats) -> None:
    async with open_bus(nats, Timing.scaled(0.05), name="test"):
        stream = (await raw.jetstream().stream_info(nats.stream)).config
        consumer = (await raw.jetstream().consumer_info(nats.stream, CONSUMER)).config

    assert (stream.max_age, stream.duplicate_window, consumer.ack_wait) == (60, 60, 1.5)


async def test_ensuring_again_changes_nothing(bus: Bus, raw: Client, nats: Nats) -> None:
    before = await raw.jetstream().stream_info(nats.stream), await raw.jetstream().consumer_info(nats.stream, CONSUMER)

    await asyncio.gather(*(bus.ensure() for _ in range(4)))

    after = await raw.jetstream().stream_info(nats.stream), await raw.jetstream().consumer_info(nats.stream, CONSUMER)
    assert [info.created for info in after] == [info.created for info in before]


async def test_many_processes_may_start_at_once(nats: Nats) -> None:
    async def start() -> int:
        async with open_bus(nats, TIMING, name="test") as bus:
            return await bus.waiting()

    assert await asyncio.gather(*(start() for _ in range(5))) == [0] * 5


async def test_fields_that_differ_are_mended_and_those_of_the_operator_are_kept(raw: Client, nats: Nats) -> None:
    jetstream = raw.jetstream()
    await jetstream.add_stream(
        StreamConfig(
            nats.stream, subjects=["old.>"], retention=RetentionPolicy.WORK_QUEUE, max_msgs=5, allow_direct=True
        )
    )
    await jetstream.add_consumer(
        nats.stream, ConsumerConfig(name=CONSUMER, durable_name=CONSUMER, ack_wait=7, max_deliver=3)
    )

    async with open_bus(nats, TIMING, name="test"):
        stream = (await jetstream.stream_info(nats.stream)).config
        consumer = (await jetstream.consumer_info(nats.stream, CONSUMER)).config

    assert (stream.subjects, stream.max_msgs, stream.allow_direct) == ([f"{nats.stream}.parts.*"], 10_000, True)
    assert (consumer.ack_wait, consumer.max_deliver) == (30, -1)


async def test_a_stream_that_keeps_messages_is_refused_with_what_to_do(raw: Client, nats: Nats) -> None:
    await raw.jetstream().add_stream(StreamConfig(nats.stream, retention=RetentionPolicy.LIMITS))

    with pytest.raises(BusMisconfigured, match=r"has retention limits and retake needs workqueue.* Delete it"):
        async with open_bus(nats, TIMING, name="test"):
            pass


async def test_a_consumer_that_pushes_is_refused_with_what_to_do(bus: Bus, raw: Client, nats: Nats) -> None:
    await raw.jetstream().delete_consumer(nats.stream, CONSUMER)
    pushing = ConsumerConfig(name=CONSUMER, durable_name=CONSUMER, deliver_subject="somewhere")
    await raw.jetstream().add_consumer(nats.stream, pushing)

    with pytest.raises(BusMisconfigured, match=r"consumer workers of stream .* has deliver_subject somewhere"):
        await bus.ensure()


async def test_subjects_another_stream_has_taken_are_refused_in_the_words_of_nats(raw: Client, nats: Nats) -> None:
    await raw.jetstream().add_stream(name=f"{nats.stream}-other", subjects=[f"{nats.stream}.>"])

    with pytest.raises(BusMisconfigured, match="subjects overlap with an existing stream"):
        async with open_bus(nats, TIMING, name="test"):
            pass


def test_subjects_say_what_they_carry() -> None:
    subjects = Subjects("retake")

    assert subjects.part("inspect") == "retake.parts.inspect"
    assert subjects.progress("workspace-1", "job-1") == "retake.progress.workspace-1.job-1"
    assert subjects.progress() == "retake.progress.*.*"


@pytest.mark.parametrize("token", ["", "a.b", "a b", ">", "a*", "é", "a\n"])
def test_a_word_that_cannot_stand_in_a_subject_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a subject"):
        Subjects("retake").part(token)
