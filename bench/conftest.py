"""Measurements of the API use the servers of the tests; those of the whole system have a durable rig of their own."""

from api.process import environment  # noqa: F401  a fixture
from conftest import *  # noqa: F403
