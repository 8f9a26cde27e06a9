"""What the tests of the bus share: a NATS to be mistreated, a timing, a message, and the ways to ask for more."""

import asyncio
import dataclasses
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nats.js import JetStreamContext

from conftest import eventually
from retake.bus.connection import Bus
from retake.bus.errors import BusUnavailable
from retake.bus.messages import PartAnnounced
from retake.bus.subjects import CONSUMER
from retake.domain.timing import Timing
from retake.settings import Nats
from retake_local import servers
from retake_local.child import Child
from retake_local.folder import write_secret

TIMING = dataclasses.replace(Timing(), announce_poll=0.05)  # as in a cluster, but quick to try again


def announced(number: int = 1, generation: int = 1, kind: str = "render") -> PartAnnounced:
    return PartAnnounced(part_id=str(number), generation=generation, kind=kind, job_id="job-1", video_id="video-1")


@asynccontextmanager
async def babbling(port: int) -> AsyncIterator[int]:
    """Something that is not NATS: it greets everybody with a line that does not end."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 100_000)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", port, reuse_address=True)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Broker:
    """A NATS of this test's own, to be killed, wiped and stopped."""

    def __init__(self, data: Path, token: str = "secret") -> None:
        self.data, self.port, self.monitor = data, servers.free_port(), servers.free_port()
        (data / "logs").mkdir()
        self.settings = Nats(url=f"nats://{quote(token, safe='')}@127.0.0.1:{self.port}", stream="retake")
        self._start_over(token)

    def _start_over(self, token: str) -> None:
        program, _ = servers.nats(self.data, token, self.port, self.monitor)
        self.child = Child(program, self.data / "logs", lambda words: None)

    def kill(self) -> None:
        """Like a crash; it is started again at once."""
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        assert self.child.pid
        os.kill(self.child.pid, number)

    async def wipe(self) -> None:
        """Killed, and back with nothing in its store."""
        self.kill()
        await self.child.stop()
        shutil.rmtree(self.data / "nats" / "jetstream")
        await self.start()

    async def start(self) -> None:
        self.child = Child(self.child.program, self.data / "logs", lambda words: None)
        await self.child.start()

    def change_token(self, token: str) -> None:
        place = self.data / "nats" / "nats.conf"
        kept = place.read_text().rpartition("authorization")[0]
        write_secret(place, f'{kept}authorization {{ token: "{token}" }}\n')


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


async def waits_for_a_message(jetstream: JetStreamContext) -> bool:
    return bool((await jetstream.consumer_info("retake", CONSUMER)).num_waiting)


def told(lines: list[Any], words: str) -> int:
    return sum(line["event"] == words and line["log_level"] != "debug" for line in lines)
