"""What can go wrong with the object store, told apart by what to do about it.

BlobError
├── BlobMissing      the object, or a byte that was asked of it, is not there: final
├── BlobUnavailable  no answer, or "not now" (5xx, time-outs, no room): try later
└── BlobRefused      a living store says no (credentials, rights, no bucket): an operator must act

BlobMissing can cost a job its source, so it needs a store that says "no such key" in so many words. A bare 404 may
come from a proxy or a store whose disk is not mounted: that is no answer.
"""

import re
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError


class BlobError(Exception):
    """The object store did not do what was asked of it."""

    kind = "other"


class BlobMissing(BlobError):
    """The object, or a byte that was asked of it, is not there."""

    kind = "missing"


class BlobUnavailable(BlobError):
    """The object store gave no answer, or none that helps now. A write may or may not have happened."""

    kind = "unavailable"


class BlobRefused(BlobError):
    """The object store answers and says no."""

    kind = "refused"


FAILURES = (MinioException, HTTPError, ParseError, ValueError)
"""All that the SDK raises when it was asked something proper; the last two are answers it could not read."""

_MISSING = frozenset({"NoSuchKey", "InvalidRange"})
_LATER = frozenset(
    {
        "BadDigest", "IncompleteBody", "InternalError", "NoSuchUpload", "OperationAborted", "QuotaExceeded",
        "RequestTimeout", "ServiceUnavailable", "SlowDown", "XAmzContentSHA256Mismatch",
        "XMinioAdminBucketQuotaExceeded", "XMinioServerNotInitialized", "XMinioStorageFull",
    }
)  # fmt: skip


def translate(error: Exception) -> BlobError:
    """One of FAILURES as one of ours."""
    match error:
        case S3Error():
            return told(error.response.status, error.code or "", error.message or "")
        case InvalidResponseError():  # also what an S3 error is when its content type is text/xml, as rclone's are
            status, body = error._code, error._body or ""  # noqa: SLF001  it shows them nowhere else
            return told(status, _tag("Code", body), _tag("Message", body) or body[:200])
        case ServerError():
            return told(error.status_code, "", str(error))
        case MaxRetryError():
            return BlobUnavailable(f"no answer: {error.reason}")
        case HTTPError():
            return BlobUnavailable(f"no answer: {error}")
        case _:
            return BlobUnavailable(f"an answer that is not S3: {error!r}")


def told(status: int, code: str, words: str) -> BlobError:
    """What the store said, by its status and its code, either of which may be all there is."""
    text = " ".join(part for part in (str(status), code, words) if part)
    if code in _MISSING:
        return BlobMissing(text)
    if code in _LATER or status in (408, 409, 425, 429) or (status >= 500 and status != 501):
        return BlobUnavailable(text)
    if status in (404, 416) and not code:
        return BlobUnavailable(f"an answer that is not S3: {text}")
    return BlobRefused(text)


def _tag(name: str, body: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", body)
    return found[1] if found else ""
