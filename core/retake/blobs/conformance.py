"""Does an S3 endpoint do all that retake needs of it? Anybody can ask: `python -m retake doctor s3`.

The checks (checks.py) work under a throwaway prefix of the configured bucket, and what they made is deleted.
"""

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from retake.blobs.bucket import open_blobs
from retake.blobs.checks import CHECKS, Check, Endpoint, Failed
from retake.blobs.errors import BlobError
from retake.settings import Bucket


@dataclass(frozen=True)
class Outcome:
    name: str
    problem: str | None
    seconds: float


def sentence(check: Check) -> str:
    return getattr(check, "__name__", "?").replace("_", " ")


async def examine(settings: Bucket, *, patience: float = 5, limit: float = 60) -> AsyncIterator[Outcome]:
    """Runs every check, each within `limit` seconds. An endpoint that cannot be opened gets one outcome, a bad one."""
    started = time.monotonic()
    try:
        async with throwaway(settings, patience=patience) as endpoint:
            for check in CHECKS:
                yield await _outcome(check, endpoint, limit)
    except BlobError as error:
        yield Outcome("the endpoint can be used", str(error), time.monotonic() - started)


@asynccontextmanager
async def throwaway(settings: Bucket, *, patience: float = 5) -> AsyncIterator[Endpoint]:
    """An endpoint to check things on, emptied afterwards."""
    own = replace(settings, prefix=f"{settings.prefix}conformance-{secrets.token_hex(8)}/")
    with tempfile.TemporaryDirectory(prefix="retake-conformance-") as scratch:
        async with open_blobs(own, patience=patience) as blobs:
            try:
                yield Endpoint(own, blobs, Path(scratch))
            finally:
                await blobs.delete_many([blob.key async for blob in blobs.listing()])


async def _outcome(check: Check, endpoint: Endpoint, limit: float) -> Outcome:
    started, problem = time.monotonic(), None
    try:
        async with asyncio.timeout(limit):
            await check(endpoint)
    except TimeoutError:
        problem = f"not done after {limit:g} s"
    except (BlobError, Failed) as error:
        problem = str(error) or type(error).__name__
    return Outcome(sentence(check), problem, time.monotonic() - started)
