import asyncio
import dataclasses
import json

import pytest
from nats.aio.client import Client

from bus.broker import TIMING, announced, babbling
from conftest import eventually
from retake.bus.connection import Bus, open_bus
from retake.bus.errors import BusMisconfigured, BusUnavailable
from retake.bus.line import asked
from retake.bus.messages import ProgressTick
from retake.bus.subjects import CONSUMER
from retake.metrics import REGISTRY
from retake.settings import Nats

pytestmark = pytest.mark.anyio


async def at_rest(bus: Bus) -> bool:
    return await bus.waiting() == 0


async def in_force(raw: Client) -> None:
    """Returns when the server has seen all that was sent; nats-py's flush overtakes what is still to be written."""
    await raw.jetstream().account_info()


async def asks(raw: Client, nats: Nats) -> bool:
    """Is there a request for a message that waits at the server?"""
    return bool((await raw.jetstream().consumer_info(nats.stream, CONSUMER)).num_waiting)


async def test_what_is_published_is_fetched_and_gone_once_acknowledged(bus: Bus) -> None:
    await bus.publish_part(announced(1))

    announcement = await bus.fetch()

    assert announcement
    assert announcement.message == announced(1)
    assert await bus.waiting() == 1
    await announcement.ack()
    assert await eventually(lambda: at_rest(bus))


async def test_a_fetch_waits_for_what_comes_later(bus: Bus, raw: Client, nats: Nats) -> None:
    fetching = asyncio.create_task(bus.fetch(20))
    await eventually(lambda: asks(raw, nats))

    await bus.publish_part(announced(1))

    announcement = await fetching
    assert announcement
    assert announcement.message.part_id == "1"


async def test_a_fetch_ends_empty_when_its_patience_is_over(bus: Bus) -> None:
    assert await bus.fetch(0.05) is None
    assert await bus.fetch(0.05) is None


async def test_messages_come_in_order_and_each_to_one_worker(bus: Bus, nats: Nats) -> None:
    for number in range(6):
        await bus.publish_part(announced(number))

    async with open_bus(nats, TIMING, name="another") as other:
        got = [await one.fetch() for one in (bus, other) * 3]

    assert [one and one.message.part_id for one in got] == [str(number) for number in range(6)]


async def test_the_same_generation_is_swallowed_and_the_next_one_is_not(bus: Bus) -> None:
    await bus.publish_part(announced(1, generation=1))
    await bus.publish_part(announced(1, generation=1))
    await bus.publish_part(announced(1, generation=2))

    got = [await bus.fetch(), await bus.fetch(), await bus.fetch(0.05)]

    assert [one and one.message.generation for one in got] == [1, 2, None]


async def test_any_client_can_read_along(bus: Bus, raw: Client, nats: Nats) -> None:
    watching = await raw.subscribe(f"{nats.stream}.>")
    await in_force(raw)

    await bus.publish_part(announced(1, generation=4, kind="inspect"))

    seen = await watching.next_msg(5)
    assert seen.subject == f"{nats.stream}.parts.inspect"
    assert seen.headers
    assert seen.headers["Nats-Msg-Id"] == "1:4"
    assert json.loads(seen.data)["partId"] == "1"


async def test_a_message_nobody_can_read_is_removed_counted_and_in_nobodys_way(
    bus: Bus, raw: Client, nats: Nats
) -> None:
    before = REGISTRY.get_sample_value("retake_bus_malformed_total") or 0
    await raw.jetstream().publish(f"{nats.stream}.parts.render", b"\x00garbage")
    await raw.jetstream().publish(f"{nats.stream}.parts.render", b'{"partId": {"no": 1}}')
    await bus.publish_part(announced(1))

    announcement = await bus.fetch()

    assert announcement
    assert announcement.message.part_id == "1"
    assert REGISTRY.get_sample_value("retake_bus_malformed_total") == before + 2
    await announcement.ack()
    assert await eventually(lambda: at_rest(bus))


async def test_a_message_that_is_not_acknowledged_comes_again(nats: Nats) -> None:
    async with open_bus(nats, dataclasses.replace(TIMING, ack_wait=0.2), name="test") as bus:
        await bus.publish_part(announced(1))

        got = [await bus.fetch() for _ in range(3)]

    assert [one and one.message.part_id for one in got] == ["1"] * 3


async def test_acknowledging_twice_is_harmless(bus: Bus) -> None:
    await bus.publish_part(announced(1))
    announcement = await bus.fetch()
    assert announcement

    await announcement.ack()
    await announcement.ack()

    assert await eventually(lambda: at_rest(bus))


async def test_a_message_that_comes_after_its_fetch_was_cancelled_is_the_next_one(
    bus: Bus, raw: Client, nats: Nats
) -> None:
    fetching = asyncio.create_task(bus.fetch(60))
    await eventually(lambda: asks(raw, nats))
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)
    async with asyncio.timeout(5):
        assert await bus.fetch(0.05) is None

    await bus.publish_part(announced(1))
    await bus.publish_part(announced(2))

    got = [await bus.fetch(5), await bus.fetch(5)]
    assert [one and one.message.part_id for one in got] == ["1", "2"]


async def test_one_request_is_out_at_a_time_even_after_a_cancelled_fetch(bus: Bus, raw: Client, nats: Nats) -> None:
    requests = await raw.subscribe(f"$JS.API.CONSUMER.MSG.NEXT.{nats.stream}.>")
    await in_force(raw)
    fetching = asyncio.create_task(bus.fetch(1))
    await eventually(lambda: asks(raw, nats))
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)

    assert await bus.fetch(0.05) is None
    assert requests.pending_msgs == 1

    fetching = asyncio.create_task(bus.fetch(20))
    await requests.next_msg(1)
    await requests.next_msg(5)  # the first one was over
    await bus.publish_part(announced(1))
    assert await fetching
    assert requests.pending_msgs == 0


async def test_stopping_ends_a_running_fetch_at_once(bus: Bus, raw: Client, nats: Nats) -> None:
    fetching = asyncio.create_task(bus.fetch(60))
    await eventually(lambda: asks(raw, nats))

    async with asyncio.timeout(5):
        await bus.stop_fetching()
        assert await fetching is None

    async def asks_no_more() -> bool:
        return not await asks(raw, nats)

    assert await eventually(asks_no_more)
    assert await bus.fetch(60) is None


async def test_what_came_too_late_goes_to_another_worker_at_once(bus: Bus, raw: Client, nats: Nats) -> None:
    fetching = asyncio.create_task(bus.fetch(60))
    await eventually(lambda: asks(raw, nats))
    fetching.cancel()
    await asyncio.gather(fetching, return_exceptions=True)
    await bus.publish_part(announced(1))
    async with open_bus(nats, TIMING, name="another") as other:
        assert await other.fetch(0.05) is None

        await bus.stop_fetching()

        announcement = await other.fetch(5)
        assert announcement
        assert announcement.message.part_id == "1"


async def test_ticks_reach_those_who_watch_their_job_and_leave_nothing_behind(bus: Bus, nats: Nats) -> None:
    mine = ProgressTick(workspace_id="w1", job_id="j1", part_id="1", claim=7, percent=50)
    last = ProgressTick(workspace_id="w1", job_id="j1", part_id="1", claim=7, percent=100)
    async with (
        open_bus(nats, TIMING, name="api") as api,
        api.watch_progress(workspace_id="w1") as of_workspace,
        api.watch_progress(workspace_id="w1", job_id="j1") as of_job,
        api.watch_progress() as of_all,
    ):
        await api.check()  # what was subscribed before is in force now
        for tick in (
            mine,
            ProgressTick(workspace_id="w1", job_id="j2", part_id="2"),
            ProgressTick(workspace_id="w2", job_id="j3", part_id="3"),
            last,
        ):
            await bus.publish_progress(tick)

        async with asyncio.timeout(5):
            assert [await anext(of_job), await anext(of_job)] == [mine, last]
            assert [(await anext(of_workspace)).job_id for _ in range(3)] == ["j1", "j2", "j1"]
            assert [(await anext(of_all)).job_id for _ in range(4)] == ["j1", "j2", "j3", "j1"]

    assert await bus.waiting() == 0


async def test_a_wake_reaches_every_relay_and_leaves_nothing_behind(bus: Bus, nats: Nats) -> None:
    here, there = asyncio.Event(), asyncio.Event()
    async with open_bus(nats, TIMING, name="another") as other:
        await bus.watch_wakes(here.set)
        await other.watch_wakes(there.set)
        await asyncio.gather(bus.check(), other.check())

        await bus.wake()

        async with asyncio.timeout(5):
            await asyncio.gather(here.wait(), there.wait())

    assert await bus.waiting() == 0


async def test_a_tick_nobody_can_read_is_passed_over(bus: Bus, raw: Client, nats: Nats) -> None:
    async with bus.watch_progress() as ticks:
        await bus.check()
        await raw.publish(f"{nats.stream}.progress.w1.j1", b"garbage")
        await in_force(raw)
        await bus.publish_progress(ProgressTick(workspace_id="w1", job_id="j1", part_id="1"))

        async with asyncio.timeout(5):
            assert (await anext(ticks)).part_id == "1"


async def test_a_server_that_is_not_there_is_unavailable_after_the_patience() -> None:
    nobody = Nats(url="nats://token@127.0.0.1:1", stream="retake")

    with pytest.raises(BusUnavailable, match="did not answer in time"):
        async with open_bus(nobody, TIMING, name="test", patience=0.2):
            pass


async def test_an_address_that_makes_no_sense_is_refused(nats: Nats) -> None:
    with pytest.raises(BusMisconfigured, match="RETAKE_NATS_URL"):
        async with open_bus(dataclasses.replace(nats, url="nats://t0ken@127.0.0.1:99999"), TIMING, name="test"):
            pass


async def test_a_server_that_does_not_speak_nats_is_refused() -> None:
    async with babbling(0) as port:
        with pytest.raises(BusMisconfigured, match="is not NATS"):
            async with open_bus(Nats(url=f"nats://t0ken@127.0.0.1:{port}", stream="retake"), TIMING, name="test"):
                pass


async def test_a_cancellation_swallowed_on_the_way_is_raised_after_all() -> None:
    started, answer = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def call() -> int:
        started.set()
        return int(await asyncio.wait_for(answer, 5))

    task = asyncio.create_task(asked(call()))
    await started.wait()
    answer.set_result(1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_wrong_token_is_refused_at_once_and_not_shown(nats: Nats) -> None:
    wrong = dataclasses.replace(nats, url=nats.url.replace("nats://", "nats://wr0ng"))

    async with asyncio.timeout(5):
        with pytest.raises(BusMisconfigured, match="RETAKE_NATS_URL") as refused:
            async with open_bus(wrong, TIMING, name="test"):
                pass

    assert "wr0ng" not in str(refused.value)
