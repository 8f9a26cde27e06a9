"""Measurements of the API use the servers of the tests; those of the whole system have a durable rig of their own."""

from pathlib import Path

import pytest

from api.process import environment  # noqa: F401  a fixture
from conftest import *  # noqa: F403


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where clips to measure with are made."""
    return tmp_path_factory.mktemp("footage")
