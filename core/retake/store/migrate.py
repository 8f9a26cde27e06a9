"""Migrations: numbered SQL files, each applied once, in order, in a transaction of its own.

1. A session advisory lock lets one process migrate; others wait, then find nothing to do.
2. Every migration that was applied must still read as it did then: a changed checksum is refused.
3. Each missing one runs with its row in `schema_version` in one transaction, so a failed one leaves nothing. The row
   says which releases it shuts out (schema.py).
4. One that cannot have its locks within a second lets go and tries again: else whoever works would queue behind it.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import psycopg
import structlog

from retake.store.connect import Connection, open_connection

log = structlog.stdlib.get_logger(__name__)

_LOCK = 0x7265_7461_6B65  # "retake": the advisory lock of whoever migrates
_TRIES, _PAUSE = 60, 0.5


class MigrationError(Exception):
    """The database cannot be brought to the schema of this release; the text says why."""


@dataclass(frozen=True)
class Migration:
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def needs(self) -> int:
        """The newest migration of the oldest release that can work with what this one leaves."""
        told = re.match(r"-- needs: (\d+)\n", self.sql)
        return int(told[1]) if told else 0


@dataclass(frozen=True)
class Applied:
    """A migration that the database has."""

    checksum: str
    needs: int


def shipped() -> list[Migration]:
    """The migrations of this release, in order, without gaps."""
    found = [
        Migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))
        for file in files("retake.store").joinpath("migrations").iterdir()
        if (match := re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", file.name))
    ]
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError("The numbers of the migration files have a gap or a double.")
    return found


async def migrate(url: str, migrations: Sequence[Migration] | None = None, *, patience: float = 30) -> int:
    """Brings the database up to date and returns how many migrations that took."""
    wanted = shipped() if migrations is None else migrations
    async with open_connection(url, name="retake-migrate", patience=patience) as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("SET lock_timeout = 0")
        await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        await connection.execute("SET lock_timeout = '1s'")
        await _prepare(connection)
        missing = _missing(wanted, await recorded(connection))
        for migration in missing:
            await _apply(connection, migration)
        return len(missing)


async def missing(url: str, *, patience: float = 30) -> list[Migration]:
    """Those of this release that the database lacks; only looks."""
    async with open_connection(url, name="retake-migrate", patience=patience) as connection:
        return _missing(shipped(), await recorded(connection))


async def _prepare(connection: Connection) -> None:
    """Where the versions stand. The first releases did not write down what a migration needs: nothing."""
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_version (
            version    integer PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    await connection.execute("ALTER TABLE schema_version ADD COLUMN IF NOT EXISTS needs integer NOT NULL DEFAULT 0")


async def recorded(connection: Connection) -> dict[int, Applied]:
    """The migrations that the database has, by version; also where nobody wrote down yet what they need."""
    row = await (await connection.execute("SELECT to_regclass('schema_version') AS made")).fetchone()
    if row is None or row["made"] is None:
        return {}
    rows = await connection.execute(
        "SELECT version, checksum, coalesce((to_jsonb(v) ->> 'needs')::integer, 0) AS needs FROM schema_version v"
    )
    return {row["version"]: Applied(row["checksum"], row["needs"]) for row in await rows.fetchall()}


def _missing(wanted: Sequence[Migration], applied: Mapping[int, Applied]) -> list[Migration]:
    for migration in wanted:
        there = applied.get(migration.version)
        if there is not None and there.checksum != migration.checksum:
            raise MigrationError(
                f"Migration {migration.version:04d}_{migration.name} was applied with another text; "
                "an applied migration is never changed: put the change into a new one."
            )
    newest = max((migration.version for migration in wanted), default=0)
    if newer := [version for version in applied if version > newest]:
        log.warning("the database is newer than this release", applied=max(newer), shipped=newest)
    return [migration for migration in wanted if migration.version not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    for left in reversed(range(_TRIES)):
        try:
            await _try(connection, migration)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            if not left:
                raise _failed(migration, error) from error
            log.info("others work; the migration tries again", version=migration.version)
            await asyncio.sleep(_PAUSE)
        except psycopg.Error as error:
            raise _failed(migration, error) from error
        else:
            break
    log.info("migrated", version=migration.version, name=migration.name)


async def _try(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql.encode())
        await connection.execute(
            "INSERT INTO schema_version (version, name, checksum, needs) VALUES (%s, %s, %s, %s)",
            (migration.version, migration.name, migration.checksum, migration.needs),
        )


def _failed(migration: Migration, error: Exception) -> MigrationError:
    return MigrationError(f"Migration {migration.version:04d}_{migration.name} failed and left nothing: {error}")
