"""Matroska, WebM and AVI become MP4, once, when they come to a worker: what is in them is copied as it is.

1. What the file says of its own length is held against its bytes (wrapped.py). 2. FFmpeg copies the first picture and
the first sound into an MP4 beside it. 3. That must last as long as was said, and takes the file's place. Everything
after that knows MP4 and MOV only. What MP4 cannot hold, VP8 above all, is refused.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from retake.domain.errors import CORRUPT, NO_VIDEO_STREAM, UNSUPPORTED_CODEC, BadInput
from retake.domain.limits import Limits
from retake.domain.sniff import ENOUGH, REWRAPPED, Kind, sniff
from retake_worker.chosen import PICTURE_NOT_TAKEN, SOUND_NOT_TAKEN
from retake_worker.diagnosis import diagnosis
from retake_worker.ffmpeg_command import QUIETLY, SOURCE, reading
from retake_worker.ffmpeg_process import FFmpegError, Patience, run
from retake_worker.movie import read_movie
from retake_worker.probe import MOST_DAMAGED
from retake_worker.sandbox import Program
from retake_worker.wrapped import avi_seconds, matroska_seconds

Declared = Callable[[BinaryIO, int], float | None]

_DECLARED: Mapping[str, Declared] = {"matroska": matroska_seconds, "avi": avi_seconds}
_WRAPPED = "wrapped.mp4"
_SPACE_AT_LEAST = 64 * 2**20
_AT_LEAST = 120.0
_BYTES_A_SECOND = 5_000_000  # a disk that is slower is broken
_SLACK = 0.1  # seconds
_NO_PLACE = re.compile(r"Could not find tag for codec (\w+) in stream #(\d)")


async def rewrap(ffmpeg: Program, limits: Limits, source: Path) -> None:
    """Raises BadInput, or FFmpegError when the file is perhaps not to blame."""
    kind, size, declared = await asyncio.to_thread(_look_at, source)
    if kind not in REWRAPPED:
        return
    patience = Patience(total=_AT_LEAST + size / _BYTES_A_SECOND, space=_SPACE_AT_LEAST + 2 * size)
    with TemporaryDirectory(dir=source.parent) as made:
        folder = Path(made)
        (folder / SOURCE).symlink_to(source)
        await _wrap(ffmpeg, rewrap_arguments(REWRAPPED[kind], limits), folder, patience)
        await asyncio.to_thread(_believe, folder / _WRAPPED, declared)
        (folder / _WRAPPED).replace(source)


def rewrap_arguments(demuxer: str, limits: Limits) -> list[str]:
    """AVI does not say when a frame is shown, only in which order frames come: times are made up (genpts)."""
    return [
        *QUIETLY, "-fflags", "+genpts", *reading(demuxer, limits), "-i", f"file:{SOURCE}",
        "-map", "0:V:0", "-map", "0:a:0?", "-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1", _WRAPPED,
    ]  # fmt: skip


def _look_at(source: Path) -> tuple[Kind, int, float | None]:
    """What it is, its bytes, and how many seconds it says it lasts."""
    size = source.stat().st_size
    with source.open("rb") as file:
        kind = sniff(file.read(ENOUGH))
        return kind, size, _DECLARED[REWRAPPED[kind]](file, size) if kind in REWRAPPED else None


async def _wrap(ffmpeg: Program, arguments: list[str], folder: Path, patience: Patience) -> None:
    try:
        await run(ffmpeg, arguments, folder, patience)
    except FFmpegError as error:
        if (unfit := _NO_PLACE.search(error.tail)) is not None:
            sentence = SOUND_NOT_TAKEN if int(unfit[2]) else PICTURE_NOT_TAKEN
            raise BadInput(UNSUPPORTED_CODEC.saying(sentence.format(unfit[1])), error.tail) from error
        if "matches no streams" in error.tail:
            raise BadInput(NO_VIDEO_STREAM, error.tail) from error
        if (failure := diagnosis(error)).final:
            raise BadInput(failure, f"{error}: {error.tail}") from error
        raise


def _believe(made: Path, declared: float | None) -> None:
    """An exit code of 0 proves nothing."""
    with made.open("rb") as file:
        movie = read_movie(file, made.stat().st_size)
    lasts = max((track.seconds for track in movie.tracks), default=0.0)
    if declared is not None and lasts < declared * (1 - MOST_DAMAGED) - _SLACK:
        raise BadInput(CORRUPT, f"{lasts:.3f} of {declared:.3f} seconds could be read")
