"""`python -m retake_janitor`: one pass of chores, then exit. A CronJob, or `make run`, starts it every five minutes.

Any number may run at once: no lock keeps them apart, because a janitor that is stopped in the middle would keep it.
Each chore moves rows by compare-and-set, and its count is what it did itself. One that fails is told, and keeps no
other from its turn; the exit code says so in the end. Told to stop, it does so before the next chore.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field

from retake import logs
from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobError, BlobUnavailable
from retake.domain.timing import Timing
from retake.entry import enter
from retake.settings import Bucket, Clock, Nats, Observe, Postgres, Storage
from retake.store import schema
from retake.store.connect import Database, Unavailable, open_database
from retake.store.janitor_runs import begin_run, end_run
from retake.store.schema import SchemaMisfit
from retake_janitor import (
    abandoned_uploads,
    announce,
    evict,
    expire,
    orphan_objects,
    pods,
    purge,
    rescue,
    sources,
    tombstones,
)

log = logs.logger(__name__)

_SETTLE = 5.0  # seconds for the object store to be reached at all


@dataclass(frozen=True)
class Settings:
    observe: Observe
    postgres: Postgres
    bucket: Bucket
    nats: Nats
    storage: Storage
    clock: Clock


@dataclass
class Pass:
    """What each chore did, or why it failed."""

    counts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


class ChoresFailed(Exception):
    """Some chores of a pass failed; the others are done."""


@dataclass(frozen=True)
class Tools:
    """What a chore works with. A `dry` one says what it would do, and changes nothing."""

    settings: Settings
    database: Database
    blobs: Blobs
    dry: bool = False
    anyway: bool = False
    """Orphans are deleted however many they are."""
    cluster: pods.Cluster | None = None

    @property
    def timing(self) -> Timing:
        return self.settings.clock.timing()


def _announce(tools: Tools) -> Awaitable[int]:
    holder = f"janitor-{socket.gethostname()}-{os.getpid()}"
    return announce.run_once(tools.database, tools.settings.nats, tools.timing, holder, dry=tools.dry)


CHORES: Mapping[str, Callable[[Tools], Awaitable[int]]] = {
    "rescue": lambda tools: rescue.run_once(tools.database, tools.timing, dry=tools.dry),
    "announce": _announce,
    "pods": lambda tools: pods.run_once(tools.database, tools.timing, tools.cluster, dry=tools.dry),
    "expire": lambda tools: expire.run_once(tools.database, dry=tools.dry),
    "evict": lambda tools: evict.run_once(tools.database, tools.settings.storage.cap, dry=tools.dry),
    "purge": lambda tools: purge.run_once(tools.database, tools.blobs, dry=tools.dry),
    "sources": lambda tools: sources.run_once(tools.database, tools.blobs, dry=tools.dry),
    "abandoned_uploads": lambda tools: abandoned_uploads.run_once(tools.database, tools.blobs, dry=tools.dry),
    "tombstones": lambda tools: tombstones.run_once(tools.database, dry=tools.dry),
    "orphan_objects": lambda tools: orphan_objects.run_once(
        tools.database, tools.blobs, tools.timing, dry=tools.dry, anyway=tools.anyway
    ),
}
"""In the order of a pass: what waits, then what goes, then what is left lying about."""


async def run(
    settings: Settings,
    *,
    dry: bool = False,
    anyway: bool = False,
    only: Collection[str] = (),
    cluster: pods.Cluster | None = None,
    stopping: asyncio.Event | None = None,
) -> Pass:
    """The chores one after the other, or only some of them, until SIGTERM sets `stopping`."""
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(open_database(settings.postgres, name="retake-janitor"))
        await schema.awaited(database)
        blobs = opened.enter_context(closing(Blobs(settings.bucket, threads=16, timeout=30)))
        await _settled(blobs)
        if stopping:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, stopping.set)
            opened.callback(loop.remove_signal_handler, signal.SIGTERM)
        tools = Tools(settings, database, blobs, dry, anyway, cluster)
        number = None if dry else await begin_run(database)
        done = Pass()
        for name, chore in CHORES.items():
            if stopping and stopping.is_set():
                log.info("told to stop; the chores that are left are for the next pass", before=name)
                break
            if only and name not in only:
                continue
            try:
                done.counts[name] = await chore(tools)
            except Exception as error:
                log.exception("a chore failed", chore=name)
                done.errors[name] = repr(error)
        if number is not None:
            await end_run(database, number, done.counts, done.errors)
        log.info("dry run done" if dry else "pass done", failed=sorted(done.errors), **done.counts)
        return done


async def _settled(blobs: Blobs) -> None:
    """A network policy lets a pod through only some moments after it started. A store that stays away is told by the
    chores that need it, and keeps none of the others from their turn."""
    with suppress(BlobError, TimeoutError):
        async with asyncio.timeout(_SETTLE):
            while True:
                try:
                    return await blobs.check()
                except BlobUnavailable:
                    await asyncio.sleep(0.2)


async def one_pass(settings: Settings, asked: argparse.Namespace) -> None:
    done = await run(
        settings,
        dry=asked.dry_run,
        anyway=asked.anyway,
        only=asked.chore,
        cluster=pods.Cluster.around(),
        stopping=asyncio.Event(),
    )
    if done.errors:
        raise ChoresFailed(", ".join(done.errors))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m retake_janitor",
        description="One pass of the janitor's chores, in this order: " + ", ".join(CHORES) + ".",
        epilog="Exit codes: 0 all is done; 1 a chore failed, the others are done; 2 wrong usage or settings.",
    )
    parser.add_argument("chore", nargs="*", choices=[[], *CHORES], help="do only these")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done now, and change nothing")
    parser.add_argument("--anyway", action="store_true", help="delete orphans however many they are")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    return enter(
        "janitor",
        Settings,
        lambda settings: asyncio.run(one_pass(settings, asked)),
        ends=(Unavailable, SchemaMisfit, BlobError, ChoresFailed),
    )


if __name__ == "__main__":
    sys.exit(main())
