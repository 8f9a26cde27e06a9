"""API keys as the service knows them: those of the file, read again when it changed, with their workspaces.

A file that cannot be read at start ends the process; later, the keys that were known go on, and the log says why.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import structlog

from retake.api_keys import ApiKey, digest, read
from retake.store.connect import Database
from retake.store.workspaces import ensure_workspace

log = structlog.stdlib.get_logger(__name__)

LOOK_EVERY = 5.0
"""Seconds between looks at the file."""


@dataclass(frozen=True)
class Known:
    key: ApiKey
    workspace: UUID


class Keys:
    def __init__(self, database: Database, file: Path | None, look_every: float = LOOK_EVERY) -> None:
        self._database, self._file, self._look_every = database, file, look_every
        self._known: Mapping[str, Known] = {}
        self._seen: tuple[int, int, int] | None = None
        self._looked = -look_every

    async def load(self) -> None:
        """Raises OSError, or ValueError with what is wrong in which line."""
        if self._file is None:
            return
        seen, found = _read(self._file)
        workspaces = {
            name: await ensure_workspace(self._database, name) for name in {k.workspace for k in found.values()}
        }
        self._known = {sha256: Known(key, workspaces[key.workspace]) for sha256, key in found.items()}
        self._seen = seen
        self._looked = time.monotonic()

    async def find(self, shown: str) -> Known | None:
        """Nothing is compared with what was shown but its digest, so the time it takes tells nothing."""
        if self._file is not None and time.monotonic() - self._looked >= self._look_every:
            self._looked = time.monotonic()
            await self._look_again(self._file)
        return self._known.get(digest(shown))

    async def _look_again(self, file: Path) -> None:
        try:
            if _state(file) != self._seen:
                await self.load()
                log.info("API keys were read again", keys=len(self._known))
        except (OSError, ValueError) as error:
            log.error("the file of API keys cannot be read; those known go on", error=str(error))


def _state(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(file: Path) -> tuple[tuple[int, int, int], dict[str, ApiKey]]:
    return _state(file), read(file.read_text(encoding="utf-8"))
