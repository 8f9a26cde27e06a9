"""Which tracks of a file takes are made of, and why a file has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retake.domain.errors import (
    CORRUPT,
    EXTERNAL_DATA,
    NO_VIDEO_STREAM,
    PROTECTED,
    TOO_MANY_STREAMS,
    UNSUPPORTED_CODEC,
    BadInput,
)
from retake.domain.limits import Limits, beyond
from retake_worker.codecs import PICTURES, SOUNDS, shown
from retake_worker.movie import Movie, Track

PICTURE_NOT_TAKEN = "This video is compressed as {}, which is not taken; please export it as H.264."
SOUND_NOT_TAKEN = "The sound is compressed as {}, which is not taken; please export it as AAC."


@dataclass(frozen=True)
class Chosen:
    """The tracks that takes are made of."""

    picture: Track
    sound: Track | None


def choose(movie: Movie, limits: Limits) -> Chosen:
    """The first picture and the first sound that FFmpeg may decode, or BadInput with what is wrong with the file."""
    pictures = [track for track in movie.of("vide") if track.samples.count]
    sounds = [track for track in movie.of("soun") if track.samples.count]
    if not pictures:
        raise BadInput(NO_VIDEO_STREAM, f"tracks are {[track.kind for track in movie.tracks]}")
    if any(track.protected for track in pictures + sounds):
        raise BadInput(PROTECTED)
    if any(track.external for track in pictures + sounds):
        raise BadInput(EXTERNAL_DATA)
    picture = _first(pictures, PICTURES, PICTURE_NOT_TAKEN)
    sound = _first(sounds, SOUNDS, SOUND_NOT_TAKEN)
    assert picture is not None
    if picture.samples.ticks == 0 or picture.frames == 0:
        raise BadInput(CORRUPT, "nothing of the picture is shown")
    within(limits, picture, picture.width, picture.height)
    if len(movie.tracks) > limits.streams:
        raise BadInput(TOO_MANY_STREAMS, f"{len(movie.tracks)} tracks")
    return Chosen(picture, sound)


def _first(tracks: Sequence[Track], taken: Mapping[str, str], otherwise: str) -> Track | None:
    fitting = [track for track in tracks if track.codec in taken]
    if tracks and not fitting:
        raise BadInput(UNSUPPORTED_CODEC.saying(otherwise.format(shown(tracks[0].codec))), repr(tracks[0].codec))
    return next((track for track in fitting if track.enabled), fitting[0] if fitting else None)


def within(limits: Limits, picture: Track, width: int, height: int) -> None:
    failure = beyond(
        limits,
        width=width,
        height=height,
        seconds=max(picture.seconds, picture.samples.ticks / picture.timescale),
        frames=max(picture.frames, picture.samples.count),
    )
    if failure is not None:
        raise BadInput(failure)
