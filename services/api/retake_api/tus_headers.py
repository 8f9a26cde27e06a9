"""What tus clients say in headers, read strictly: what is not understood is refused, never guessed."""

import base64
import binascii
import re

from starlette.datastructures import Headers

from retake_api.form import clean_name
from retake_api.problems import Problem

VERSION = "1.0.0"
BYTES = "application/offset+octet-stream"
LONGEST_METADATA = 4096

_WHOLE = re.compile("[0-9]{1,18}")
_KEY = re.compile(r"[!-+\x2d-~]+")  # printable ASCII, but for space and comma
_UNSUPPORTED = {
    "Upload-Defer-Length": "how long it is must be said when it begins (Upload-Length)",
    "Upload-Concat": "an upload cannot be put together from others",
    "Upload-Checksum": "bytes are not compared with checksums",
}


def refuse_unsupported(headers: Headers) -> None:
    """Extensions we have not announced: whoever relies on one must know."""
    for name, why in _UNSUPPORTED.items():
        if name in headers:
            raise Problem(400, "unsupported_extension", f"{name} is not supported: {why}.")


def number_of(name: str, given: str | None) -> int:
    if given is None or not _WHOLE.fullmatch(given):
        raise Problem(400, "invalid_header", f"The header {name} must be a whole number.")
    return int(given)


def name_of(metadata: str) -> str:
    """The file's name in Upload-Metadata, `video` without one."""
    if len(metadata) > LONGEST_METADATA:
        raise _unreadable(f"it may have {LONGEST_METADATA} characters")
    values: dict[str, bytes] = {}
    for pair in metadata.split(",") if metadata.strip() else []:
        key, _, value = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in values:
            raise _unreadable("its keys must be unique and without spaces")
        values[key] = _value(value)
    try:
        name = (values.get("filename") or values.get("name") or b"").decode()
    except UnicodeDecodeError:
        raise _unreadable("the name must be UTF-8") from None
    return clean_name(name.replace("\\", "/")) or "video"


def _value(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _unreadable("its values must be base64") from None


def _unreadable(why: str) -> Problem:
    return Problem(400, "invalid_metadata", f"The header Upload-Metadata cannot be read: {why}.")
