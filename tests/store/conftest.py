from collections.abc import AsyncIterator

import pytest

from retake.store.connect import Database
from retake.store.workspaces import ensure_workspace
from store.audit import complaints
from store.scene import Scene


@pytest.fixture
async def scene(database: Database) -> AsyncIterator[Scene]:
    """A workspace to act in. Whatever a test did, the rows must agree with each other after it."""
    yield Scene(database, await ensure_workspace(database, "people"))
    assert await complaints(database) == []
