"""Stores of one test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from blobs.stores import FaultyStore, OwnStore
from retake.blobs.bucket import Blobs, open_blobs


@pytest.fixture
async def own_store(tmp_path: Path) -> AsyncIterator[OwnStore]:
    store = OwnStore(tmp_path)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyStore]:
    store = FaultyStore()
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def faulty_blobs(faulty: FaultyStore) -> AsyncIterator[Blobs]:
    """An adapter with one thread, so that a thread that is not given back stops everything."""
    async with open_blobs(faulty.settings, threads=1, patience=0) as opened:
        yield opened
