"""Pytest on copies of retake, one process each: `python runner.py` has imported what they all need, and forks.

Every import but retake's own is the same for all copies, and costs a second of processor time. A line on stdin asks,
{"copy": folder, "tests": [...], "output": file}; one on stdout answers with pytest's exit code.
"""

import json
import os
import sys

import argon2  # noqa: F401  these only to be there already
import fastapi  # noqa: F401
import google.protobuf  # noqa: F401
import httpx  # noqa: F401
import hypothesis  # noqa: F401
import minio  # noqa: F401
import nats.js  # noqa: F401
import numpy as np  # noqa: F401
import prometheus_client  # noqa: F401
import psycopg  # noqa: F401
import pytest
import structlog  # noqa: F401
import uvicorn  # noqa: F401

WORDS = (
    *("-p", "no:xdist", "-p", "no:hypothesispytest"),  # which these runs do not need
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of plugins that are there already
)


def run(copy: str, tests: list[str], output: str) -> int:
    told = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for standard in (1, 2):
        os.dup2(told, standard)
    sys.path.insert(0, copy)
    try:
        return pytest.main([*WORDS, *tests])
    finally:
        sys.stdout.flush()


def answer(line: str) -> int:
    if not (pid := os.fork()):
        code = 70
        try:
            code = run(**json.loads(line))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    for asked in sys.stdin:
        print(answer(asked), flush=True)  # noqa: T201  the protocol
