"""Is this installation sound? Sections, asked one after the other, each telling its findings as they come.

A section that cannot even begin says so in one bad finding; settings that make no sense are no finding but a
SettingsError, since nothing can be asked with them.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from retake.audit import audit
from retake.blobs.bucket import open_blobs
from retake.blobs.conformance import examine
from retake.blobs.errors import BlobError
from retake.bus.connection import open_bus
from retake.bus.errors import BusError
from retake.settings import Bucket, Clock, Nats, Postgres, SettingsError, Storage, read
from retake.store.audit import ledger_errors
from retake.store.connect import Unavailable, open_database
from retake.store.migrate import MigrationError, missing
from retake.variables import variables

_PATIENCE = 5.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; without a problem it is fine."""

    name: str
    problem: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Asked:
    """How the audit is to be done."""

    at_rest: bool = False
    deep: bool = False
    repair: bool = False


@dataclass(frozen=True)
class Section:
    explain: str
    look: Callable[[Mapping[str, str], Asked], AsyncIterator[Finding]]


async def settings(environ: Mapping[str, str], _asked: Asked) -> AsyncIterator[Finding]:
    complaints: dict[str, None] = {}
    concerns = (Postgres, Nats, Bucket)
    for concern in concerns:
        try:
            read(concern, environ)
        except SettingsError as error:
            complaints |= dict.fromkeys(str(error).splitlines())
    if complaints:
        raise SettingsError("\n".join(complaints))
    yield Finding(f"{sum(len(variables(concern)) for concern in concerns)} settings make sense")


async def postgres(environ: Mapping[str, str], _asked: Asked) -> AsyncIterator[Finding]:
    started = time.monotonic()
    try:
        lacking = await missing(read(Postgres, environ).url, patience=_PATIENCE)
    except Unavailable as error:
        yield Finding("Postgres answers", str(error), time.monotonic() - started)
        return
    except MigrationError as error:
        problem: str | None = str(error)
    else:
        names = ", ".join(f"{migration.version:04d}_{migration.name}" for migration in lacking)
        problem = f"it lacks {names}: run `python -m retake migrate`" if lacking else None
    yield Finding("Postgres answers", seconds=time.monotonic() - started)
    yield Finding("the schema is that of this release", problem)


async def nats(environ: Mapping[str, str], asked: Asked) -> AsyncIterator[Finding]:
    """The stream is made when there is none, as every service does."""
    started = time.monotonic()
    try:
        async with open_bus(
            read(Nats, environ), read(Clock, environ).timing(), name="doctor", patience=_PATIENCE
        ) as bus:
            left = await bus.waiting()
    except BusError as error:
        yield Finding("the stream answers", str(error), time.monotonic() - started)
        return
    yield Finding("the stream answers", seconds=time.monotonic() - started)
    if asked.at_rest:
        yield Finding("the stream is empty", f"I13: {left} messages are left in it" if left else None)


async def s3(environ: Mapping[str, str], _asked: Asked) -> AsyncIterator[Finding]:
    async for outcome in examine(read(Bucket, environ), patience=_PATIENCE):
        yield Finding(outcome.name, outcome.problem, outcome.seconds)


async def audited(environ: Mapping[str, str], asked: Asked) -> AsyncIterator[Finding]:
    started = time.monotonic()
    timing = read(Clock, environ).timing()
    found = 0
    try:
        async with (
            open_database(read(Postgres, environ), name="retake-doctor", patience=_PATIENCE) as database,
            open_blobs(read(Bucket, environ), patience=_PATIENCE) as blobs,
        ):
            if asked.repair:
                for error in await ledger_errors(database, repair=True):
                    yield Finding(f"repaired: {error}")
            cap = read(Storage, environ).cap
            async for violation in audit(
                database, blobs, None, timing, cap=cap, at_rest=asked.at_rest, deep=asked.deep
            ):
                found += 1
                yield Finding(violation.invariant, violation.what)
    except (Unavailable, BlobError) as error:
        yield Finding("rows and bytes can be read", str(error), time.monotonic() - started)
        return
    if not found:
        yield Finding("rows, bytes and states agree", seconds=time.monotonic() - started)


SECTIONS: Mapping[str, Section] = {
    "settings": Section("every setting that processes share can be read", settings),
    "postgres": Section("the database answers and has this release's schema", postgres),
    "nats": Section("the stream answers, and is empty --at-rest", nats),
    "audit": Section("rows, bytes and states agree: no invariant is broken", audited),
    "s3": Section("the object store does all that retake needs of one", s3),
}
