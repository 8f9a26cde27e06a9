"""Where every object lies: the key layout, in this place only.

    sources/{source}/{n:05d}-{random}          one chunk of a source, in order of n
    results/{job}/{video}/{index}.{claim}.mp4  one take; .webp is its thumbnail
    thumbs/{job}/{video}.{claim}.webp          one video's thumbnail

A key is written once: the random tail and the claim make it nobody else's, so two writers never meet. No key is a
folder of another, because stores that keep objects as files cannot hold `x` and `x/y`. `parse` turns a key back into
what it names, and anything else into None: the sweep of orphans never touches what retake did not write.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class SourceChunk:
    """The n-th chunk of a source; `random` (hex) tells apart the tries to write it."""

    source: str
    n: int
    random: str

    @property
    def key(self) -> str:
        return _checked(f"{of_source(self.source)}{self.n:05d}-{self.random}")


@dataclass(frozen=True)
class Result:
    """The file of one variation, rendered under one claim."""

    job: str
    video: str
    index: int
    claim: int

    @property
    def key(self) -> str:
        return _checked(f"results/{self.job}/{self.video}/{self.index}.{self.claim}.mp4")


@dataclass(frozen=True)
class ResultThumb:
    """The thumbnail of one variation."""

    job: str
    video: str
    index: int
    claim: int

    @property
    def key(self) -> str:
        return _checked(f"results/{self.job}/{self.video}/{self.index}.{self.claim}.webp")


@dataclass(frozen=True)
class VideoThumb:
    """The thumbnail of one video, made when it was inspected."""

    job: str
    video: str
    claim: int

    @property
    def key(self) -> str:
        return _checked(f"thumbs/{self.job}/{self.video}.{self.claim}.webp")


Named = SourceChunk | Result | ResultThumb | VideoThumb

SOURCES, RESULTS, THUMBS = "sources/", "results/", "thumbs/"


def of_source(source: str) -> str:
    """The prefix of all chunks of a source."""
    return f"{SOURCES}{source}/"


def of_job(job: str) -> tuple[str, str]:
    """The prefixes of all that the workers made of a job."""
    return f"{RESULTS}{job}/", f"{THUMBS}{job}/"


_ID = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_NUMBER = "(0|[1-9][0-9]{0,18})"
_SHAPES: tuple[tuple[re.Pattern[str], Callable[..., Named]], ...] = (
    (
        re.compile(f"sources/{_ID}/([0-9]{{5}})-([0-9a-f]{{8,64}})"),
        lambda source, n, random: SourceChunk(source, int(n), random),
    ),
    (
        re.compile(f"results/{_ID}/{_ID}/{_NUMBER}\\.{_NUMBER}\\.mp4"),
        lambda job, video, index, claim: Result(job, video, int(index), int(claim)),
    ),
    (
        re.compile(f"results/{_ID}/{_ID}/{_NUMBER}\\.{_NUMBER}\\.webp"),
        lambda job, video, index, claim: ResultThumb(job, video, int(index), int(claim)),
    ),
    (
        re.compile(f"thumbs/{_ID}/{_ID}\\.{_NUMBER}\\.webp"),
        lambda job, video, claim: VideoThumb(job, video, int(claim)),
    ),
)


def parse(key: str) -> Named | None:
    """What a key names; None when it is not one of ours."""
    for shape, name in _SHAPES:
        if match := shape.fullmatch(key):
            return name(*match.groups())
    return None


def _checked(key: str) -> str:
    """Ids come from outside: nothing is ever written under a key that does not read back."""
    if parse(key) is None:
        raise ValueError(f"{key!r} is not a key: ids are UUIDs in lower case, random is 8 to 64 hex digits")
    return key
