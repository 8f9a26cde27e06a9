"""What travels: messages of retake.wire as JSON, so that any NATS client can read along.

Field names are lowerCamelCase, 64-bit numbers are strings, and every field is there unless it is optional. Fields that
are not known are ignored: an older worker reads what a newer API wrote.
"""

import re
from typing import TypeVar

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import Message

from retake.wire.v1.part_pb2 import PartAnnounced
from retake.wire.v1.progress_pb2 import ProgressTick, VariationFrames

__all__ = ["Malformed", "PartAnnounced", "ProgressTick", "VariationFrames", "message_id", "read", "write"]

M = TypeVar("M", PartAnnounced, ProgressTick)

_PART = re.compile(r"[0-9]{1,18}")  # a bigint of Postgres; anything else would only fail there, again and again


class Malformed(Exception):
    """Nobody can read this message; it helps nobody to keep it."""


def write(message: Message) -> bytes:
    return MessageToJson(message, indent=None, always_print_fields_with_no_presence=True).encode()


def read(data: bytes, message: M) -> M:
    """Fills and returns `message`; it names a part, or it is malformed."""
    try:
        Parse(data, message, ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from error
    if not _PART.fullmatch(message.part_id):
        raise Malformed("its partId is not that of a part")
    return message


def message_id(part: PartAnnounced) -> str:
    """The stream takes a message with the same id only once within its window."""
    return f"{part.part_id}:{part.generation}"
