"""What an MP4 or MOV file says of itself: its tracks, from the index (moov), wherever that lies, and from fragments.

A file whose bytes are not all there is told from one that is damaged: the first can be uploaded again, the second not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import BinaryIO

from retake.domain.errors import CORRUPT, EXTERNAL_DATA, TRUNCATED, UNSUPPORTED_CODEC, BadInput
from retake_worker.boxes import Box, Budget, broken, load, top_level
from retake_worker.fragments import Fragments
from retake_worker.samples import Samples, read_samples, shown

MOST_INDEX = 32 * 2**20
_PROTECTED = frozenset({"encv", "enca", "drmi", "drms"})


@dataclass(frozen=True)
class Track:
    """`number` is its place among the tracks, which is FFmpeg's number for the stream. Width and height are coded ones,
    before rotation (degrees clockwise) and before pixels are made square (`sar`). `delay` is the pause before it, in
    seconds; `transfer` the number of its curve of light, where the file says it."""

    number: int
    id: int
    kind: str
    enabled: bool
    codec: str
    protected: bool
    external: bool
    timescale: int
    samples: Samples
    edits: Sequence[tuple[int, int]]
    width: int = 0
    height: int = 0
    rotation: int = 0
    sar: Fraction = Fraction(1)

    object_type: int | None = None
    delay: float = 0.0
    transfer: int | None = None

    @cached_property
    def frames(self) -> int:
        """Those that are shown; an edit list may leave some out, or show some twice."""
        return shown(self.samples, self.edits) if self.edits else self.samples.count

    @property
    def seconds(self) -> float:
        """What is shown, without the pause that may come before it."""
        ticks = self.samples.ticks
        return (sum(min(end - start, ticks) for start, end in self.edits) if self.edits else ticks) / self.timescale


@dataclass(frozen=True)
class Movie:
    tracks: Sequence[Track]

    def of(self, kind: str) -> list[Track]:
        return [track for track in self.tracks if track.kind == kind]


def read_movie(file: BinaryIO, size: int) -> Movie:
    """Raises BadInput, and nothing else, when this is no file that can be played from its first frame to its last."""
    budget = Budget()
    moov: Box | None = None
    fragments = Fragments()
    for place in top_level(file, size):
        if place.end > size and (moov is None or place.name in {b"moov", b"mdat", b"moof"}):
            raise BadInput(TRUNCATED, f"{place.name!r} ends at {place.end}, and the file at {size}")
        if place.name == b"moov" and moov is None:
            moov = load(file, place, MOST_INDEX, budget)
        elif place.name == b"moof":
            fragments.add(load(file, place, 2**20, budget))
    if moov is None:
        raise BadInput(
            CORRUPT.saying(
                "The index of this video is missing, as when a recording was cut off;"
                " please repair it or export it again, and upload that."
            ),
            "no moov",
        )
    return Movie(_tracks(moov, fragments, size))


def _tracks(moov: Box, fragments: Fragments, size: int) -> list[Track]:
    if moov.find(b"cmov") is not None:
        raise BadInput(UNSUPPORTED_CODEC, "a compressed index")
    if moov.find(b"rmra") is not None:
        raise BadInput(EXTERNAL_DATA, "a reference movie")
    timescale = moov.child(b"mvhd").number(20 if moov.child(b"mvhd").version == 1 else 12)
    tracks = []
    for number, trak in enumerate(box for box in moov.children() if box.name == b"trak"):
        track = _track(trak, number, timescale)
        if (added := fragments.samples(track.id, moov.find(b"mvex"))) is not None:
            both = replace(
                added,
                count=track.samples.count + added.count,
                ticks=track.samples.ticks + added.ticks,
                sync=[*track.samples.starts(), *(track.samples.count + one for one in added.starts())],
            )
            track = replace(track, samples=both, edits=())
        if track.samples.ends > size:
            raise BadInput(TRUNCATED, f"track {number} has bytes up to {track.samples.ends}, and the file has {size}")
        tracks.append(track)
    return tracks


def _track(trak: Box, number: int, movie_timescale: int) -> Track:
    tkhd, mdia = trak.child(b"tkhd"), trak.child(b"mdia")
    mdhd, hdlr, minf = mdia.child(b"mdhd"), mdia.child(b"hdlr"), mdia.child(b"minf")
    kind = hdlr.raw(8, 4).decode("latin-1")
    timescale = mdhd.number(20 if mdhd.version == 1 else 12)
    if timescale == 0:
        raise broken("time does not move")
    stbl = minf.child(b"stbl")
    stsd = stbl.child(b"stsd")
    entry = next(stsd.children(8), None)
    edits = _edits(trak, timescale, movie_timescale)
    track = Track(
        number=number,
        id=tkhd.number(20 if tkhd.version == 1 else 12),
        kind=kind,
        enabled=bool(tkhd.flags & 1),
        codec=str(entry) if entry else "",
        protected=str(entry) in _PROTECTED,
        external=entry is not None and _is_external(minf, entry),
        timescale=timescale,
        samples=read_samples(stbl, exact=kind == "vide"),
        edits=[edit for edit in edits if edit[0] >= 0],
        delay=sum(end - start for start, end in edits if start < 0) / timescale,
        object_type=None if entry is None else _object_type(entry),
    )
    if kind != "vide" or entry is None:
        return track
    return replace(
        track,
        width=entry.number(24, 2),
        height=entry.number(26, 2),
        rotation=_rotation(tkhd),
        sar=_sar(entry),
        transfer=_transfer(entry),
    )


def _is_external(minf: Box, entry: Box) -> bool:
    """Samples lie in this file when the reference their entry names says so."""
    dref = minf.find(b"dinf", b"dref")
    wanted = entry.number(6, 2)
    references = [] if dref is None else list(dref.children(8))
    return 0 < wanted <= len(references) and not references[wanted - 1].flags & 1


def _object_type(entry: Box) -> int | None:
    """MPEG-4 names what is really in "mp4a" and "mp4v" by a number: after esds, its tags (3, then 4) and lengths."""
    _, found, tail = entry.raw(0, min(len(entry), 4096)).partition(b"esds")
    if not found:
        return None
    body = tail[4:].replace(b"\x80", b"")  # lengths may be padded
    at = 5 + (2 if body[4:5] and body[4] & 0x80 else 0)
    return body[at + 2] if body[:1] == b"\x03" and body[at : at + 1] == b"\x04" and len(body) > at + 2 else None


def _edits(trak: Box, timescale: int, movie_timescale: int) -> list[tuple[int, int]]:
    """The stretches of media time that are shown. Empty ones, which begin at -1, only delay; a duration of nothing
    means "to the end"."""
    elst = trak.find(b"edts", b"elst")
    if elst is None or movie_timescale == 0:
        return []
    wide = 8 if elst.version == 1 else 4
    edits = []
    for row in range(min(elst.number(4), 1000)):
        at = 8 + row * (2 * wide + 4)
        lasts, start = elst.number(at, wide), elst.number(at + wide, wide, signed=True)
        if start >= 0 or lasts:
            end = start + math.ceil(lasts * timescale / movie_timescale) if lasts else 2**62
            edits.append((start, end))
    return edits


def _rotation(tkhd: Box) -> int:
    """Clockwise, to the next quarter turn."""
    at = 52 if tkhd.version == 1 else 40
    a, b = tkhd.number(at, signed=True), tkhd.number(at + 4, signed=True)
    return round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360


def _sar(entry: Box) -> Fraction:
    """The shape of a pixel; 1 when it is not said."""
    pasp = _said(entry, b"pasp")
    return Fraction(pasp.number(0), pasp.number(4)) if pasp and pasp.number(0) and pasp.number(4) else Fraction(1)


def _transfer(entry: Box) -> int | None:
    colr = _said(entry, b"colr")
    return colr.number(6, 2) if colr and len(colr) >= 8 and colr.raw(0, 4) in (b"nclx", b"nclc") else None


def _said(entry: Box, name: bytes) -> Box | None:
    """What an entry of pictures says beside its figures."""
    return next((box for box in entry.children(78) if box.name == name), None) if len(entry) > 78 else None
