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
from retake.settings import Bucket, Clock, Nats, Postgres, SettingsError, read
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
class Section:
    explain: str
    look: Callable[[Mapping[str, str]], AsyncIterator[Finding]]


async def settings(environ: Mapping[str, str]) -> AsyncIterator[Finding]:
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


async def postgres(environ: Mapping[str, str]) -> AsyncIterator[Finding]:
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


async def s3(environ: Mapping[str, str]) -> AsyncIterator[Finding]:
    async for outcome in examine(read(Bucket, environ), patience=_PATIENCE):
        yield Finding(outcome.name, outcome.problem, outcome.seconds)


async def audited(environ: Mapping[str, str]) -> AsyncIterator[Finding]:
    started = time.monotonic()
    timing = read(Clock, environ).timing()
    found = 0
    try:
        async with (
            open_database(read(Postgres, environ), name="retake-doctor", patience=_PATIENCE) as database,
            open_blobs(read(Bucket, environ), patience=_PATIENCE) as blobs,
        ):
            async for violation in audit(database, blobs, None, timing):
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
    "audit": Section("rows, bytes and states agree: no invariant is broken", audited),
    "s3": Section("the object store does all that retake needs of one", s3),
}
