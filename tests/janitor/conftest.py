from collections.abc import AsyncIterator

import pytest

from footage import Footage
from retake.blobs.bucket import Blobs
from retake.store.connect import Database


@pytest.fixture
async def footage(database: Database, blobs: Blobs) -> AsyncIterator[Footage]:
    """Whatever a test did, the audit is clean after it."""
    made = Footage(database, blobs)
    yield made
    assert await made.complaints() == []
