"""Measurements use the servers of the tests."""

from api.process import environment  # noqa: F401  a fixture
from conftest import *  # noqa: F403
