"""Files in work: a folder per claim, gone when the claim ends, and the sources they share (sources.py).

A worker holds a lock on its folder while it lives, so that whoever starts in the same place removes what the dead left:
a worker of the same name, or one of a name that will not come again. Nobody removes what a living one needs.
"""

import asyncio
import errno
import fcntl
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path

import structlog

from retake.domain.work import Claim
from retake_worker.sources import Sources

log = structlog.stdlib.get_logger(__name__)

KEEP = 2 * 2**30
_MARK = ".retake-scratch"  # only folders that hold this are ours to remove


class ScratchTaken(Exception):
    """Another worker of this name works here."""


class Scratch:
    """One worker's folder. `keep` bounds the bytes of sources that are kept for the next part."""

    def __init__(self, top: Path, worker: str, keep: int = KEEP) -> None:
        self._folder = top / worker
        with _alone(top):
            for left in [self._folder, *(mark.parent for mark in top.glob(f"*/{_MARK}"))]:
                _remove_unless_locked(left)
            self._make(worker)
        self.sources = Sources(self._folder / "sources", keep)

    def _make(self, worker: str) -> None:
        try:
            (self._folder / "sources").mkdir(parents=True)
        except FileExistsError:
            raise ScratchTaken(
                f"Another worker named {worker} works in {self._folder.parent}: give each a name of its own "
                "(RETAKE_WORKER_NAME), or a scratch folder (RETAKE_SCRATCH)."
            ) from None
        (self._folder / _MARK).touch()
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    async def check(self) -> None:
        """Returns when files can be written here; for probes."""
        await asyncio.to_thread(self._try)

    def _try(self) -> None:
        file = self._folder / ".trial"
        file.write_bytes(b"retake")
        file.unlink()

    def trial(self) -> AbstractAsyncContextManager[Path]:
        """A folder to try things in before there is work."""
        return self._made("trial")

    def folder(self, claimed: Claim) -> AbstractAsyncContextManager[Path]:
        return self._made(f"{claimed.part}.{claimed.number}")

    @asynccontextmanager
    async def _made(self, name: str) -> AsyncIterator[Path]:
        folder = self._folder / name
        folder.mkdir()
        try:
            yield folder
        finally:
            self.sources.let_go(folder)
            await asyncio.shield(asyncio.to_thread(_remove, folder))

    def tidy(self, error: BaseException | None = None) -> None:
        """Removes sources that nobody came for; all that nobody uses, when the disk is full."""
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            self.sources.forget(unused_for=0)
        else:
            self.sources.forget()

    def close(self) -> None:
        _remove(self._folder)
        os.close(self._lock)


@contextmanager
def _alone(top: Path) -> Iterator[None]:
    """Workers that start at once do not take each other's new folders for old ones."""
    top.mkdir(parents=True, exist_ok=True)
    held = os.open(top, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _remove_unless_locked(folder: Path) -> None:
    try:
        held = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder)
    except BlockingIOError:
        return
    finally:
        os.close(held)


def _remove(folder: Path) -> None:
    """Whoever is cancelled leaves its thread behind, which may still write a file while its folder goes."""
    for pause in (0.0, 0.01, 0.1, 1.0):
        time.sleep(pause)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    log.warning("scratch could not be removed", folder=str(folder))
