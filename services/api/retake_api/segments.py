"""Bytes laid end to end, out of memory and out of objects: what any download sends, whole or from the middle."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from retake.blobs.bucket import Blobs

PIECE = 2**17
"""The most that is read, and sent, at once: twenty slow clients hold two and a half megabytes."""


@dataclass(frozen=True)
class Stored:
    """An object; of its bytes, those from `offset` on."""

    key: str
    offset: int = 0


Content = bytes | Stored


@dataclass(frozen=True)
class Segment:
    """Where `size` bytes come to lie."""

    start: int
    size: int
    content: Content


@dataclass(frozen=True)
class Layout:
    """In order and without gaps."""

    segments: tuple[Segment, ...]
    size: int

    @property
    def etag(self) -> str:
        """Strong: objects never change under their keys, so other bytes have another."""
        digest = sha256()
        for segment in self.segments:
            content = segment.content
            told = content if isinstance(content, bytes) else f"{content.key} {content.offset}".encode()
            digest.update(b"%d %d " % (segment.size, len(told)) + told)
        return f'"{digest.hexdigest()[:40]}"'

    def cut(self, first: int, last: int) -> Iterator[Segment]:
        """The bytes from `first` to `last`, both included, where they lie."""
        for one in self.segments:
            begin, end = max(first, one.start), min(last + 1, one.start + one.size)
            if begin < end:
                yield Segment(begin, end - begin, _part(one.content, begin - one.start, end - begin))


def end_to_end(contents: Iterable[tuple[int, Content]]) -> Layout:
    """Of contents and their sizes."""
    segments: list[Segment] = []
    at = 0
    for size, content in contents:
        if size:
            segments.append(Segment(at, size, content))
        at += size
    return Layout(tuple(segments), at)


async def read(blobs: Blobs, segments: Iterable[Segment]) -> AsyncGenerator[bytes, None]:
    """Piece by piece, each when it is asked for."""
    for segment in segments:
        content = segment.content
        if isinstance(content, bytes):
            for start in range(0, segment.size, PIECE):
                yield content[start : start + PIECE]
            continue
        async with blobs.stream(content.key, content.offset, segment.size, piece=PIECE) as pieces:
            async for piece in pieces:
                yield piece


def _part(content: Content, offset: int, size: int) -> Content:
    if isinstance(content, bytes):
        return content[offset : offset + size]
    return Stored(content.key, content.offset + offset)
