"""A multipart form, parsed as it arrives: nothing of it is kept here, and nothing is written to disk.

Of each part comes a Part, then its bytes in pieces, then None.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from retake_api.problems import Problem

FORM = "multipart/form-data"

_BOUNDARY = re.compile(r"[ -~]{1,200}")
_EXTENDED = re.compile(r"""(?i);\s*filename\*\s*=\s*utf-8'[^']*'([^;\s"]+)""")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Part:
    field: str
    filename: str | None
    """None for a part that is no file; empty when a browser sends a file input nobody used."""


def media_type(content_type: str) -> str:
    """Without its options."""
    kind: str = parse_options_header(content_type)[0]
    return kind


def boundary_of(content_type: str) -> str:
    """Raises Problem when a form cannot be taken apart."""
    boundary: str = parse_options_header(content_type)[1].get("boundary", "")
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
    name: str | None = segment.filename
    if extended := _EXTENDED.search(segment.header("Content-Disposition") or ""):
        name = unquote(extended[1], errors="replace")
    if name is None:
        return None
    return clean_name(name)


def clean_name(name: str) -> str:
    """Without folders, and without what no name should hold; UTF-8 else, as it came."""
    return _UNPRINTABLE.sub("_", name.rpartition("/")[2])
