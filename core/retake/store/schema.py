"""Whether a process and the database fit together: from the newest migration that its release ships, on to any that
does not shut it out.

A migration shuts older releases out by its first line, `-- needs: 12`: releases whose newest migration is older than
that cannot work with what it leaves. Every other migration only adds, so that two releases can run side by side while
one takes over from the other.
"""

import asyncio
from functools import cache

import structlog

from retake.store.connect import Database
from retake.store.migrate import recorded, shipped

log = structlog.stdlib.get_logger(__name__)

_PAUSE = 0.5


class SchemaMisfit(Exception):
    """This release cannot work with the schema of this database; the text says which of them is too old."""


@cache
def newest() -> int:
    """The newest migration of this release."""
    return shipped()[-1].version


async def check(database: Database) -> None:
    """Raises SchemaMisfit."""
    ours = newest()
    async with database.transaction() as connection:
        applied = await recorded(connection)
    there = max(applied, default=0)
    if there < ours:
        raise SchemaMisfit(
            f"The database is at schema {there} and this release needs {ours}: run `python -m retake migrate`."
        )
    if (needed := max(one.needs for one in applied.values())) > ours:
        raise SchemaMisfit(
            f"The database is at schema {there}, which needs a release with schema {needed} or newer, and this one has "
            f"{ours}: run a newer release."
        )


async def awaited(database: Database, patience: float = 60) -> None:
    """Returns when they fit: somebody may be about to migrate."""
    deadline = asyncio.get_running_loop().time() + patience
    told = False
    while True:
        try:
            return await check(database)
        except SchemaMisfit as error:
            if asyncio.get_running_loop().time() > deadline:
                raise
            if not told:
                log.warning("waiting for the schema", because=str(error))
                told = True
        await asyncio.sleep(_PAUSE)
