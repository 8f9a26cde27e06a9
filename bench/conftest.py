"""The base of the measurements: each has a durable rig, so that figures are those of real disks and processes."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
