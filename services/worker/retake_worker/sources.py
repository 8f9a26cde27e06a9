"""Sources on this worker's disk. Parts of one video that are worked on here, at once or one after the other, share one
download, whose bytes are held against their checksums once.

A part gets a link in its folder and is a user of the source until that folder goes. What nobody uses is kept for the
next part, up to a bound and for a while, and the one that was used longest ago goes first.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from retake import metrics
from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobMissing
from retake.domain.work import ChunkPlace, Work

Ready = Callable[[Path], Awaitable[None]]

_KEPT_FOR = 600.0  # seconds: a deleted video should not stay here for long


async def as_it_is(_file: Path) -> None:
    return


@dataclass
class _Kept:
    source: UUID
    file: Path
    size: int
    fetching: asyncio.Task[str]
    users: set[Path] = field(default_factory=set)
    used_at: float = 0.0

    @property
    def useless(self) -> bool:
        """It did not come, and it will not."""
        return self.fetching.done() and (self.fetching.cancelled() or self.fetching.exception() is not None)


class Sources:
    """`most` bounds the bytes of those that nobody uses, beside those that somebody does."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._kept: dict[UUID, _Kept] = {}  # the one used last is last

    async def bring(self, blobs: Blobs, work: Work, place: Path, ready: Ready = as_it_is) -> str:
        """Puts a link to the source at `place`, and returns the SHA-256 of what was uploaded. `ready` may put another
        file in its place before anybody gets it."""
        kept = self._kept.pop(work.source, None)
        metrics.SOURCES.labels("fetched" if kept is None else "shared").inc()
        if kept is None:
            self._make_room(work.size)
            file = self._folder / str(work.source)
            kept = _Kept(work.source, file, work.size, asyncio.create_task(_fetch(blobs, work, file, ready)))
        self._kept[work.source] = kept
        kept.users.add(place.parent)
        try:
            sha256 = await asyncio.shield(kept.fetching)
        except BaseException:
            self._leave(kept, place.parent)
            raise
        place.symlink_to(kept.file)  # noqa: ASYNC240  while nothing is awaited, nobody removes it
        return sha256

    def let_go(self, folder: Path) -> None:
        """The part that worked in this folder has ended."""
        for kept in list(self._kept.values()):
            if folder in kept.users:
                self._leave(kept, folder)
        self._make_room(0)

    def forget(self, unused_for: float = _KEPT_FOR) -> None:
        """Removes what nobody has used for so long."""
        for kept in list(self._kept.values()):
            if not kept.users and time.monotonic() - kept.used_at >= unused_for:
                self._remove(kept)

    def _leave(self, kept: _Kept, folder: Path) -> None:
        kept.users.discard(folder)
        kept.used_at = time.monotonic()
        if kept.useless or not (kept.users or kept.fetching.done()):
            self._remove(kept)

    def _make_room(self, size: int) -> None:
        """So that this many bytes more are within the bound, or nothing is left to remove."""
        total = size + sum(kept.size for kept in self._kept.values())
        for kept in list(self._kept.values()):
            if total <= self._most:
                return
            if not kept.users:
                total -= kept.size
                self._remove(kept)

    def _remove(self, kept: _Kept) -> None:
        kept.fetching.cancel()
        kept.file.unlink(missing_ok=True)
        if self._kept.get(kept.source) is kept:
            del self._kept[kept.source]


async def _fetch(blobs: Blobs, work: Work, place: Path, ready: Ready) -> str:
    sha256 = await download(blobs, work, place)
    await ready(place)
    return sha256


async def download(blobs: Blobs, work: Work, place: Path) -> str:
    """The source's chunks, one after the other, into one file; each must be what its row says. Returns the SHA-256."""
    whole = hashlib.sha256()
    with place.open("wb") as file:
        for chunk in work.chunks:
            data = await blobs.get(chunk.key)
            await asyncio.to_thread(_append, file, whole, data, chunk)
    return whole.hexdigest()


def _append(file: BinaryIO, whole: "hashlib._Hash", data: bytes, chunk: ChunkPlace) -> None:
    if hashlib.sha256(data).hexdigest() != chunk.sha256:
        raise BlobMissing(f"{chunk.key} does not hold the bytes that were stored")
    file.write(data)
    whole.update(data)
