"""Takes of one source: one run of ffmpeg makes them, and each is looked at before it counts.

An exit code of 0 proves nothing: a source whose end is missing gives one too, and a short file. So each take is walked
box by box, which says how many frames it has and how long they last, and its key frames are decoded.
"""

import asyncio
import errno
import hashlib
import math
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from retake.blobs.bucket import Blobs
from retake.blobs.keys import Result, ResultThumb
from retake.domain.distinct import Pair
from retake.domain.errors import CORRUPT, ENCODER, BadInput, Failure
from retake.domain.limits import Limits
from retake.domain.recipe import lasting, shown_of, sounding
from retake.domain.work import Claim, Rendered
from retake_worker.clip import MOST_FPS, Clip
from retake_worker.diagnosis import diagnosis
from retake_worker.engine import Engine
from retake_worker.ffmpeg_command import (
    SISTERS,
    Recipe,
    check_arguments,
    decode_arguments,
    file_of,
    look_of,
    render_arguments,
    thumbs_of,
)
from retake_worker.ffmpeg_process import FFmpegError, FFmpegFailed, Patience, run
from retake_worker.movie import Movie, Track, read_movie
from retake_worker.probe import Told, too_few
from retake_worker.sandbox import Program

log = structlog.stdlib.get_logger(__name__)

_PIECE = 2**20
_AT_LEAST = 120.0
_SECONDS_PER_MEGAPIXEL = 0.2  # twenty times what a frame of a take costs
_TOLERANCE = 2  # frames
_SOUND_TOLERANCE = 0.25  # seconds
# What takes may be long, several times what any profile gives: pictures, sound, and the small frames.
_SPACE_AT_LEAST, _BYTES_PER_PIXEL, _BYTES_PER_SECOND = 64 * 2**20, 0.1, 64_000


class BadTake(Exception):
    """A file came out that is not what its recipe says."""


Verdict = float | BadTake | FFmpegError
"""On one take: its length in seconds, or why it does not count."""


@dataclass(frozen=True)
class Kitchen:
    """Where takes of one source are made."""

    ffmpeg: Program
    clip: Clip
    folder: Path
    limits: Limits
    stall: float = 30.0  # seconds without a frame
    engine: Engine = field(default_factory=Engine)


@dataclass(frozen=True)
class Measured:
    """The distances of takes, by index, and which pairs are near; None when nothing was measured."""

    distances: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    near: Sequence[Pair] | None = None


async def render(
    kitchen: Kitchen, recipes: Sequence[Recipe], moved: Callable[[int], None], sisters: Sequence[Recipe] = ()
) -> None:
    """Makes all these takes in one run, and what they are compared by, of their sisters too.

    Raises FFmpegError, OSError when it is the disk that is full, or BadInput when too many frames of the source were
    not sound."""
    clip, told = kitchen.clip, Told()
    pixels = clip.size.width * clip.size.height * clip.frames * len(recipes)
    written = pixels * _BYTES_PER_PIXEL + clip.seconds * len(recipes) * _BYTES_PER_SECOND
    patience = Patience(
        stall=kitchen.stall,
        total=_AT_LEAST + pixels / 1e6 * _SECONDS_PER_MEGAPIXEL,
        space=_SPACE_AT_LEAST + int(written),
    )
    arguments = render_arguments(clip, recipes, kitchen.limits, sisters, engine=kitchen.engine)
    try:
        await run(kitchen.ffmpeg, arguments, kitchen.folder, patience, moved=moved, said=told.hear)
    except FFmpegFailed as error:
        if os.strerror(errno.ENOSPC) in error.tail:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise
    _believe(clip, _decoded(clip) - told.damaged)


async def check(kitchen: Kitchen, recipes: Sequence[Mapping[str, Any]]) -> list[Verdict]:
    """Of each take how long it is, in seconds, or what is wrong with it. One run decodes the key frames of all that
    look good; when it fails, each is decoded on its own."""
    verdicts = await asyncio.to_thread(lambda: [_walked(kitchen, recipe) for recipe in recipes])
    good = [recipe["index"] for recipe, verdict in zip(recipes, verdicts, strict=True) if isinstance(verdict, float)]
    if not good or await _undecoded(kitchen, good) is None:
        return verdicts
    blamed = {index: await _undecoded(kitchen, [index]) for index in good}
    return [blamed.get(recipe["index"]) or verdict for recipe, verdict in zip(recipes, verdicts, strict=True)]


async def _undecoded(kitchen: Kitchen, indices: Sequence[int]) -> FFmpegError | None:
    try:
        await run(kitchen.ffmpeg, check_arguments(indices, kitchen.limits), kitchen.folder, Patience(total=_AT_LEAST))
    except FFmpegError as error:
        return error
    return None


async def examine(kitchen: Kitchen) -> None:
    """Raises BadInput when too few frames of the source are sound, all over; inspect looked at some stretches only."""
    clip, told, decoded = kitchen.clip, Told(), [0]
    pixels = clip.width * clip.height * _decoded(clip)
    patience = Patience(stall=kitchen.stall, total=_AT_LEAST + pixels / 1e6 * _SECONDS_PER_MEGAPIXEL)
    try:
        await run(
            kitchen.ffmpeg, decode_arguments(clip, kitchen.limits), kitchen.folder, patience,
            moved=decoded.append, said=told.hear,
        )  # fmt: skip
    except FFmpegError as error:
        if (failure := diagnosis(error)).final:
            raise BadInput(failure, f"{error}: {error.tail}") from error
        return
    _believe(clip, decoded[-1] - told.damaged)


def _decoded(clip: Clip) -> int:
    """How many frames the source has, also where takes have fewer."""
    return round(clip.fps * clip.seconds)


def _believe(clip: Clip, sound: int) -> None:
    if too_few(sound, _decoded(clip)):
        raise BadInput(CORRUPT, f"{sound} of {_decoded(clip)} frames are sound")


def _walked(kitchen: Kitchen, recipe: Mapping[str, Any]) -> Verdict:
    file = kitchen.folder / file_of(recipe["index"])
    try:
        with file.open("rb") as opened:
            movie = read_movie(opened, file.stat().st_size)
    except (BadInput, FileNotFoundError) as error:
        return BadTake(f"take {recipe['index']}: {error}")
    if complaint := complaint_about(movie, kitchen.clip, recipe):
        return BadTake(f"take {recipe['index']}: {complaint}")
    return max(track.seconds for track in movie.of("vide"))


def complaint_about(movie: Movie, clip: Clip, recipe: Mapping[str, Any]) -> str | None:
    """What a take is not as it should be."""
    pictures, sounds = movie.of("vide"), movie.of("soun")
    if (len(pictures), len(sounds)) != (1, int(clip.sound is not None)):
        return f"it has {len(pictures)} pictures and {len(sounds)} sounds"
    picture, size = pictures[0], clip.size
    if (picture.width, picture.height) != (size.width, size.height):
        return f"it is {picture.width} x {picture.height}, not {size.width} x {size.height}"
    slack = _TOLERANCE + clip.doubtful
    most = math.ceil((clip.seconds - shown_of(recipe, clip.seconds)) * MOST_FPS)  # how many trimming may take
    if not -slack - most <= picture.frames - clip.frames <= slack:
        return f"it has {picture.frames} frames, and {clip.frames} are due"
    due = lasting(recipe, clip.seconds)
    if abs(picture.seconds - due) > slack * clip.seconds / clip.frames:
        return f"it lasts {picture.seconds:.3f} s, and {due:.3f} are due"
    return _complaint_about_sound(sounds[0], clip, recipe) if sounds else None


def _complaint_about_sound(sound: Track, clip: Clip, recipe: Mapping[str, Any]) -> str | None:
    if not sound.samples.count:
        return "its sound is empty"
    if clip.sound_lasts is None:  # it was looked at by a worker that did not ask
        return None
    due = sounding(recipe, clip.seconds, clip.sound_lasts)
    if abs(sound.seconds - due) > _SOUND_TOLERANCE + clip.doubtful * clip.seconds / clip.frames:
        return f"its sound lasts {sound.seconds:.3f} s, and {due:.3f} are due"
    return None


def measure(kitchen: Kitchen, recipes: Sequence[Recipe], sisters: Sequence[Recipe] = ()) -> Measured:
    """The takes of these recipes and of their sisters; nothing when no frame came out to be compared, which `check`
    will tell.

    Blocks, for some 100 ms when there are twenty: call it in a thread.
    """
    from retake_worker import distance  # noqa: PLC0415  numpy, only where it is needed

    size, folder, seconds = kitchen.clip.look_size, kitchen.folder, kitchen.clip.seconds
    indices = [recipe["index"] for recipe in recipes]
    try:
        looks = {index: distance.read_frames(folder / look_of(index), size) for index in (0, *indices)}
        if sisters:
            stacked = distance.read_stacked(folder / SISTERS, size, len(sisters))
            looks |= {sister["index"]: frames for sister, frames in zip(sisters, stacked, strict=True)}
        pairs = distance.differences(looks)
    except (ValueError, FileNotFoundError) as error:
        log.warning("the takes cannot be compared", because=repr(error))
        return Measured()
    lengths = {0: seconds, **{recipe["index"]: lasting(recipe, seconds) for recipe in (*recipes, *sisters)}}
    return Measured(distance.distances(pairs, indices, lengths), distance.near_pairs(pairs))


async def store(
    blobs: Blobs, claimed: Claim, kitchen: Kitchen, index: int, *, seconds: float, distance: Mapping[str, Any] | None
) -> Rendered:
    """Puts a take and its thumbnail under keys that no other claim writes, and tells its facts."""
    file = kitchen.folder / file_of(index)
    crc32, sha256 = await asyncio.to_thread(checksums, file)
    key = Result(str(claimed.job), str(claimed.video), index, claimed.number).key
    size = await blobs.put_file(key, file)
    thumb = await _thumbnail(blobs, claimed, kitchen, index)
    return Rendered(
        index, key, size, crc32, sha256, round(seconds, 6), distance, thumb, kitchen.engine.fingerprint or None
    )


async def _thumbnail(blobs: Blobs, claimed: Claim, kitchen: Kitchen, index: int) -> str | None:
    """Of the small pictures the one with most bytes, as for the source (inspect.py)."""
    made = sorted(kitchen.folder.glob(thumbs_of(index, "*")))
    if not made:
        return None
    key = ResultThumb(str(claimed.job), str(claimed.video), index, claimed.number).key
    await blobs.put(key, max((file.read_bytes() for file in made), key=len))
    return key


def failure_of(error: FFmpegError | BadTake) -> Failure:
    """Why a take did not come out of a source that is sound, for people."""
    if isinstance(error, FFmpegError) and not (failure := diagnosis(error)).final:
        return failure
    return ENCODER


def checksums(file: Path) -> tuple[int, str]:
    crc32, sha256 = 0, hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            crc32 = zlib.crc32(piece, crc32)
            sha256.update(piece)
    return crc32, sha256.hexdigest()
