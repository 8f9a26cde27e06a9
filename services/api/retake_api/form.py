"""A multipart form, parsed as it arrives: nothing of it is kept here, and nothing is written to disk.

Of each part comes a Part, then its bytes in pieces, then None.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from retake_api.problems import Problem

_BOUNDARY = re.compile(r"[ -~]{1,200}")
_EXTENDED = re.compile(r"""(?i);\s*filename\*\s*=\s*utf-8'[^']*'([^;\s"]+)""")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Part:
    field: str
    filename: str | None
    """None for a part that is no file; empty when a browser sends a file input nobody used."""


def boundary_of(content_type: str) -> str:
    """Raises Problem when this is no form, or one that cannot be taken apart."""
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data":
        raise Problem(
            415,
            "not_a_form",
            "Send the videos as a form (Content-Type: multipart/form-data).",
            allowed=["multipart/form-data"],
        )
    boundary: str = options.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise Problem(400, "no_boundary", "The Content-Type of the form names no boundary.")
    return boundary


async def read_form(body: AsyncIterator[bytes], boundary: str, most_parts: int) -> AsyncIterator[Part | bytes | None]:
    parts = 0
    parser = PushMultipartParser(boundary)
    try:
        async for piece in body:
            if not piece or parser.closed:
                continue
            for event in parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    parts += 1
                    if parts > most_parts:
                        raise Problem(413, "too_many_parts", f"The form has more than {most_parts} parts.")
                    yield Part(event.name, filename_of(event))
                else:
                    yield event
        parser.close()
    except MultipartError as error:
        raise Problem(400, "invalid_form", f"The form cannot be read: {error}.") from None


def filename_of(segment: MultipartSegment) -> str | None:
    """Without the folders some clients send along; UTF-8 as it came, but for what no name should hold."""
    name: str | None = segment.filename
    if extended := _EXTENDED.search(segment.header("Content-Disposition") or ""):
        name = unquote(extended[1], errors="replace")
    if name is None:
        return None
    return _UNPRINTABLE.sub("_", name.rpartition("/")[2])
