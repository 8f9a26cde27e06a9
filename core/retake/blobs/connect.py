"""A line to the store: the minio SDK with threads, connections, time-outs and retries of its own.

The SDK blocks, so each call is handed to a thread and awaited. A coroutine that is cancelled leaves at once, while its
thread goes on until the store answers or a time-out ends it: whoever asks says what becomes of that late answer.
"""

import asyncio
import io
import ssl
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, TypeVar

import urllib3
from minio import Minio
from minio.helpers import check_bucket_name
from urllib3.response import BaseHTTPResponse

from retake import metrics
from retake.blobs.errors import FAILURES, BlobError, BlobMissing, BlobRefused, BlobUnavailable, translate
from retake.settings import Bucket

T = TypeVar("T")

CHUNK = 8 * 2**20  # the most that is put or got at once, and the parts a longer file is sent in
_BLOCK = 2**16


class _Connections(urllib3.PoolManager):
    """Sends bodies block by block, so that a time-out bounds each block: sendall() would have to send all in that time,
    and many uploads at once to a slow disk would never end."""

    def urlopen(self, method: str, url: str, redirect: bool = True, **kw: Any) -> BaseHTTPResponse:  # type: ignore[override]  # noqa: FBT001, FBT002
        if isinstance(body := kw.get("body"), bytes) and len(body) > _BLOCK:
            kw["body"] = io.BytesIO(body)
        return super().urlopen(method, url, redirect, **kw)


class Line:
    """The SDK's client for one endpoint, and the threads it is called in."""

    def __init__(self, settings: Bucket, name: str, *, threads: int, connect: float, read: float, retries: int) -> None:
        self.bucket = settings.name
        secure = settings.endpoint.startswith("https")
        self.connections = _Connections(
            maxsize=8 * threads,  # a slow download keeps its connection without keeping a thread
            blocksize=_BLOCK,
            timeout=urllib3.Timeout(connect=connect, read=read),
            retries=urllib3.Retry(
                total=retries,
                read=min(retries, 1),
                redirect=False,  # a redirect would need another signature
                status_forcelist=(429, 500, 502, 503, 504),
                backoff_factor=0.1,
                raise_on_status=False,
                respect_retry_after_header=False,  # an hour asleep in a thread helps nobody
            ),
            ssl_context=ssl.create_default_context() if secure else None,
        )
        try:
            check_bucket_name(settings.name, strict=True)
            self.client = Minio(
                settings.endpoint.partition("://")[2],
                settings.access_key,
                settings.secret_key,
                secure=secure,
                region=settings.region,
                http_client=self.connections,
            )
        except ValueError as error:
            raise BlobRefused(f"{settings.endpoint}, bucket {settings.name}: {error}") from error
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def ask(
        self, about: str, work: Callable[[Minio], T], abandoned: Callable[[Future[T]], None] = lambda _late: None
    ) -> T:
        """Calls `work` in a thread. When the caller is cancelled meanwhile, `abandoned` gets what is still to come."""
        future = self._threads.submit(self._work, about, work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            abandoned(future)
            raise

    def _work(self, about: str, work: Callable[[Minio], T]) -> T:
        cause: BaseException | None
        try:
            return work(self.client)
        except FAILURES as error:
            failure, cause = translate(error), error
        except BlobError as error:
            failure, cause = error, error.__cause__
        if isinstance(failure, BlobMissing):
            failure = self._doubted(failure)
        metrics.BUCKET_ERRORS.labels(failure.kind).inc()
        raise type(failure)(f"{about}: {failure}") from cause

    def _doubted(self, missing: BlobMissing) -> BlobError:
        """What is asked by HEAD is missing just the same when the bucket is, which would be no loss of one object."""
        try:
            there = self.client.bucket_exists(self.bucket)
        except FAILURES as error:
            return translate(error)
        return missing if there else BlobRefused(f"there is no bucket {self.bucket}")

    def close(self) -> None:
        """Nothing new starts; what is under way ends by itself and closes its connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.connections.clear()


def send(client: Minio, bucket: str, name: str, body: BinaryIO, size: int) -> None:
    """Puts `size` bytes: in one request up to CHUNK, else in parts, two of which are in memory at most."""
    done = client.put_object(bucket, name, body, size, part_size=CHUNK, num_parallel_uploads=1)
    if not done.etag and size > CHUNK:  # a store may say 200 first and find out later that it cannot join the parts
        raise BlobUnavailable("the store did not join the parts")
