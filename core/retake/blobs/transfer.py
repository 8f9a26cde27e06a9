"""Bytes under way: a file going up, an object coming down. Both can be let go of in the middle, from another thread."""

import io
import re
import threading
from concurrent.futures import Future
from contextlib import suppress

from minio import Minio
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse

from retake.blobs.errors import BlobMissing, BlobRefused

_CONTENT_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/.*")


class Abandoned(Exception):
    """Nobody waits for this upload any more."""


class Upload(io.RawIOBase):
    """A file the SDK reads part by part; after `stopped` the next read fails, and the SDK withdraws the parts."""

    def __init__(self, file: io.RawIOBase, stopped: threading.Event) -> None:
        super().__init__()
        self._file, self._stopped = file, stopped

    def read(self, size: int = -1, /) -> bytes | None:
        if self._stopped.is_set():
            raise Abandoned
        return self._file.read(size)


class Body:
    """An answer being read. `left` is what it still owes: it is delivered exactly, or an error is raised."""

    def __init__(self, response: BaseHTTPResponse, left: int) -> None:
        self._response, self.left = response, left
        self._reading: Future[bytes] | None = None

    def read(self, most: int) -> bytes:
        """Blocks for the next piece: call it in a thread."""
        due = min(most, self.left)
        piece = self._response.read(due, decode_content=False)
        if len(piece) < due:
            raise ProtocolError(f"the store ended its answer {self.left - len(piece)} bytes early")
        self.left -= due
        return piece

    def abandon(self, reading: Future[bytes]) -> None:
        """The caller of read() was cancelled: wakes its thread, which then closes the connection."""
        self._reading = reading
        with suppress(ValueError, RuntimeError, OSError):  # it was just done, or never began
            self._response.shutdown()

    def close(self) -> None:
        """Read to the end, the connection was kept for the next request; else it is closed, unread bytes and all."""
        if self._reading:
            self._reading.add_done_callback(lambda _done: self._close())
        else:
            self._close()

    def _close(self) -> None:
        self._response.close()
        self._response.release_conn()


def open_body(client: Minio, bucket: str, name: str, offset: int, length: int | None) -> Body:
    """The object from `offset` on; a store that has fewer bytes than asked for, or sends others, is found out here."""
    response = client.get_object(bucket, name, offset, length or 0)
    try:
        return Body(response, _owed(response, offset, length))
    except BaseException:
        response.close()
        response.release_conn()
        raise


def _owed(response: BaseHTTPResponse, offset: int, length: int | None) -> int:
    """How many bytes come. The status says nothing: rclone answers a Range with 200 and a Content-Range."""
    if not offset and length is None:
        if response.length_remaining is None:
            raise BlobRefused("the store does not say how long the object is")
        return response.length_remaining
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if not match or int(match[1]) != offset:
        raise BlobRefused(f"the store does not honour a Range: it sends {match[0] if match else 'everything'}")
    owed = int(match[2]) - offset + 1
    if length is not None and owed < length:
        raise BlobMissing(f"{length} bytes were asked for from {offset} on, and there are only {owed}")
    if length is not None and owed > length:
        raise BlobRefused(f"the store does not honour a Range: it sends {match[0]}")
    return owed
