"""What a file is, by its first bytes: names and declared types prove nothing.

The API asks while bytes arrive, to refuse early what is no video; the worker asks to force the demuxer, because left
to itself FFmpeg would read a playlist that calls itself .mp4. Nothing here proves that the rest of the file is sound.
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum

from retake.domain.errors import NOT_A_VIDEO, Failure

ENOUGH = 1024
"""So many first bytes decide; fewer do when the file has no more."""


class Kind(StrEnum):
    MP4 = "mp4"
    MOV = "mov"
    FRAGMENT = "fragment"
    M4V = "m4v"
    MKV = "mkv"
    WEBM = "webm"
    AVI = "avi"
    MPEG_TS = "mpeg-ts"
    MPEG_PS = "mpeg-ps"
    FLV = "flv"
    ASF = "asf"
    PLAYLIST = "playlist"
    PICTURE = "picture"
    SOUND = "sound"
    ARCHIVE = "archive"
    DOCUMENT = "document"
    TEXT = "text"
    EMPTY = "empty"
    UNKNOWN = "unknown"


DEMUXERS: Mapping[Kind, str] = {Kind.MP4: "mov", Kind.MOV: "mov", Kind.M4V: "mov"}
"""The kinds that takes are made of as they are, and how FFmpeg is told to read each."""

REWRAPPED: Mapping[Kind, str] = {Kind.MKV: "matroska", Kind.WEBM: "matroska", Kind.AVI: "avi"}
"""Those that are wrapped as MP4 first (rewrap.py)."""

ALWAYS = frozenset({Kind.MP4, Kind.MOV})
MORE = tuple(kind for kind in (*DEMUXERS, *REWRAPPED) if kind not in ALWAYS)
"""What is taken, and what is taken as well where a setting says so."""

_PLEASE = "please upload an MP4 or MOV file"
_SENTENCES: Mapping[Kind, str] = {
    Kind.FRAGMENT: "This is one piece of a streamed video; please upload the whole video as an MP4 or MOV file.",
    Kind.M4V: f"This is an M4V video, which is not taken; {_PLEASE}.",
    Kind.MKV: f"This is a Matroska video, which is not taken; {_PLEASE}.",
    Kind.WEBM: f"This is a WebM video, which is not taken; {_PLEASE}.",
    Kind.AVI: f"This is an AVI video, which is not taken; {_PLEASE}.",
    Kind.MPEG_TS: f"This is an MPEG transport stream, which is not taken; {_PLEASE}.",
    Kind.MPEG_PS: f"This is an MPEG-1 or MPEG-2 video, which is not taken; {_PLEASE}.",
    Kind.FLV: f"This is a Flash video, which is not taken; {_PLEASE}.",
    Kind.ASF: f"This is a Windows Media file, which is not taken; {_PLEASE}.",
    Kind.PLAYLIST: f"This is a playlist that names other files, not a video itself; {_PLEASE}.",
    Kind.PICTURE: f"This is a picture, not a video; {_PLEASE}.",
    Kind.SOUND: f"This is a sound file without a picture; {_PLEASE}.",
    Kind.ARCHIVE: "This is an archive; please unpack it, and upload the MP4 or MOV files in it.",
    Kind.DOCUMENT: f"This is a document, not a video; {_PLEASE}.",
    Kind.TEXT: f"This is text, not a video; {_PLEASE}.",
    Kind.EMPTY: f"This file is empty; {_PLEASE}.",
}

_PICTURE_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx ", b"jxl "}
)
_BRANDS = {b"qt  ": Kind.MOV, b"M4V ": Kind.M4V, b"M4VH": Kind.M4V, b"M4VP": Kind.M4V}
_OLD_MOV = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""How a QuickTime file from before ftyp begins."""

_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"FLV\x01", Kind.FLV),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind.ASF),
    (b"\x00\x00\x01\xba", Kind.MPEG_PS),
    (b"\x00\x00\x01\xb3", Kind.MPEG_PS),
    (b"\x89PNG\r\n\x1a\n", Kind.PICTURE),
    (b"\xff\xd8\xff", Kind.PICTURE),
    (b"GIF8", Kind.PICTURE),
    (b"II*\x00", Kind.PICTURE),
    (b"MM\x00*", Kind.PICTURE),
    (b"\x00\x00\x00\x0cjP  ", Kind.PICTURE),
    (b"ID3", Kind.SOUND),
    (b"OggS", Kind.SOUND),
    (b"fLaC", Kind.SOUND),
    (b"PK\x03\x04", Kind.ARCHIVE),
    (b"PK\x05\x06", Kind.ARCHIVE),
    (b"Rar!\x1a\x07", Kind.ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    (b"\x1f\x8b\x08", Kind.ARCHIVE),
    (b"%PDF-", Kind.DOCUMENT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.DOCUMENT),
)
_RIFF = {b"AVI ": Kind.AVI, b"WAVE": Kind.SOUND, b"WEBP": Kind.PICTURE}
_EBML = b"\x1a\x45\xdf\xa3"
_WEBM = re.compile(rb"\x42\x82.{1,8}?webm", re.DOTALL)  # the type of document, after its length
_PACKET, _SYNC = 188, 0x47


def sniff(head: bytes) -> Kind:
    """What begins like this. `head` holds the first ENOUGH bytes, or the whole file when it has fewer."""
    if not head:
        return Kind.EMPTY
    if (kind := _boxed(head)) is not None:
        return kind
    if head.startswith(_EBML):
        return Kind.WEBM if _WEBM.search(head) else Kind.MKV
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], Kind.UNKNOWN)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if _is_transport_stream(head):
        return Kind.MPEG_TS
    return _written(head)


def refusal(kind: Kind, more: Collection[str] = ()) -> Failure | None:
    """Why a file of this kind is not taken; None when it is. `more` is what is taken beside MP4 and MOV."""
    if kind in ALWAYS or kind in more:
        return None
    sentence = _SENTENCES.get(kind)
    return NOT_A_VIDEO if sentence is None else NOT_A_VIDEO.saying(sentence)


def _boxed(head: bytes) -> Kind | None:
    """ISO-BMFF and QuickTime begin with a box: its size, then its name."""
    size, name = int.from_bytes(head[:4]), head[4:8]
    if name == b"ftyp" and 8 <= size <= ENOUGH:
        brand = head[8:12]
        if brand in _PICTURE_BRANDS:
            return Kind.PICTURE
        return _BRANDS.get(brand, Kind.MP4)
    if name in {b"styp", b"sidx", b"moof"} and head[0] == 0:
        return Kind.FRAGMENT
    is_a_word_in_a_text = all(0x20 <= byte < 0x7F for byte in head[:4])
    return Kind.MOV if name in _OLD_MOV and not is_a_word_in_a_text else None


def _is_transport_stream(head: bytes) -> bool:
    """A sync byte at each packet's start; cameras put four bytes of time before every packet."""
    for step, first in ((_PACKET, 0), (_PACKET + 4, 4)):
        places = range(first, len(head), step)
        if len(places) >= 2 and all(head[place] == _SYNC for place in places):
            return True
    return False


def _written(head: bytes) -> Kind:
    """Text of any sort, told from bytes: UTF-8 without control characters, but for one cut off at the end."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3 or error.start == 0:
            return Kind.UNKNOWN
        text = head[: error.start].decode("utf-8-sig")
    if any(letter < " " and letter not in "\t\n\r\f" for letter in text):
        return Kind.UNKNOWN
    if text.lstrip().startswith(("#EXTM3U", "#EXT-X-", "[playlist]", "ffconcat", "<MPD", "<SmoothStreamingMedia")):
        return Kind.PLAYLIST
    if "<svg" in text:
        return Kind.PICTURE
    return Kind.PLAYLIST if "<MPD" in text else Kind.TEXT
