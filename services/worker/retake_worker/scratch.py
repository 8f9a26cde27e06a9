"""Files in work: a folder per claim, gone when the claim ends; what a killed worker left goes at its next start."""

import asyncio
import hashlib
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import structlog

from retake.blobs.bucket import Blobs
from retake.blobs.errors import BlobMissing
from retake.domain.work import ChunkPlace, Claim, Work

log = structlog.stdlib.get_logger(__name__)


class Scratch:
    """One worker's folder."""

    def __init__(self, top: Path, worker: str) -> None:
        self._folder = top / worker
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)

    @asynccontextmanager
    async def folder(self, claimed: Claim) -> AsyncIterator[Path]:
        folder = self._folder / f"{claimed.part}.{claimed.number}"
        folder.mkdir()
        try:
            yield folder
        finally:
            await asyncio.shield(asyncio.to_thread(_remove, folder))

    def close(self) -> None:
        _remove(self._folder)


def _remove(folder: Path) -> None:
    """Whoever is cancelled leaves its thread behind, which may still write a file while its folder goes."""
    for pause in (0.0, 0.01, 0.1, 1.0):
        time.sleep(pause)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    log.warning("scratch could not be removed", folder=str(folder))


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
