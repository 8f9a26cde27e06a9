"""`python -m retake_worker`: a worker until SIGTERM."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from retake import metrics
from retake.blobs.bucket import open_blobs
from retake.blobs.errors import BlobError
from retake.bus.connection import open_bus
from retake.bus.errors import BusError
from retake.entry import enter
from retake.health import Check, Health, serve
from retake.settings import Bucket, Clock, Nats, Observe, Postgres, Videos, Worker
from retake.store import schema
from retake.store.connect import Unavailable, open_database
from retake.store.schema import SchemaMisfit
from retake_worker.allowance import allowance
from retake_worker.consume import Consumer
from retake_worker.ffmpeg_process import NoFFmpeg, find_ffmpeg
from retake_worker.sandbox import NotStarted, for_encoder
from retake_worker.scratch import Scratch, ScratchTaken
from retake_worker.selftest import proven
from retake_worker.tools import Reach, Tools


class BusGone(Exception):
    """The connection to NATS is closed for good; only a new process gets another."""


@dataclass(frozen=True)
class Settings:
    observe: Observe
    postgres: Postgres
    bucket: Bucket
    nats: Nats
    clock: Clock
    worker: Worker
    videos: Videos


async def run(settings: Settings, reach: Reach) -> None:
    """Opens everything, works until told to stop, and closes it in turn."""
    allowed = allowance()
    if settings.worker.memory_mib is not None:
        allowed = allowed.at_most(settings.worker.memory_mib * 2**20)
    timing = settings.clock.timing()
    ffmpeg = for_encoder(find_ffmpeg(settings.worker.ffmpeg), settings.worker.encoder)
    limits = settings.videos.limits()
    name = settings.worker.name or f"{socket.gethostname()}-{os.getpid()}"
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(open_database(settings.postgres, name=f"retake-{name}"))
        await schema.awaited(database)
        blobs = await opened.enter_async_context(open_blobs(settings.bucket))
        bus = await opened.enter_async_context(open_bus(settings.nats, timing, name=name))
        keep = settings.worker.keep_mib * 2**20
        scratch = Scratch(Path(settings.worker.scratch or tempfile.gettempdir()), name, keep)
        opened.callback(scratch.close)
        async with scratch.trial() as folder:
            anything = settings.worker.any_version == "yes"
            found = await proven(ffmpeg, settings.worker.encoder, folder, any_version=anything)
        checks: dict[str, Check] = {
            "postgres": partial(schema.check, database),
            "storage": blobs.check,
            "queue": bus.check,
            "scratch": scratch.check,
        }
        health = Health(checks, needed={"queue", "scratch"})  # it waits for the others with what it has in hand
        await opened.enter_async_context(await serve(settings.observe.host, settings.observe.port, health))
        tools = Tools(
            database=database,
            blobs=blobs,
            bus=bus,
            timing=timing,
            scratch=scratch,
            name=name,
            slots=settings.worker.slots or allowed.slots,
            memory=allowed.memory,
            ffmpeg=ffmpeg,
            limits=limits,
            engine=found.engine,
            layers=found.layers,
            grace=settings.worker.grace,
            reach=reach,
        )
        metrics.SLOTS.set(tools.slots)
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        consumer = Consumer(tools)
        consuming = asyncio.create_task(consumer.run())
        closed = asyncio.create_task(bus.closed())
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({consuming, closed, told}, return_when=asyncio.FIRST_COMPLETED)
        await consumer.leave()
        for task in (closed, told):
            task.cancel()
        await consuming
        if not stopping.is_set():
            raise BusGone("the connection to NATS was closed")


def main(reach: Reach = lambda _step: None) -> int:
    ends = (Unavailable, SchemaMisfit, BlobError, BusError, BusGone, NoFFmpeg, NotStarted, ScratchTaken)
    return enter("worker", Settings, lambda settings: asyncio.run(run(settings, reach)), ends=ends)


if __name__ == "__main__":
    sys.exit(main())
