"""Campaigns have rigs of their own; those of the API use the servers of the session."""

from api.process import environment  # noqa: F401  a fixture
