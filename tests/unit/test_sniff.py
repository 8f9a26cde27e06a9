import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retake.domain.sniff import ENOUGH, MORE, Kind, refusal, sniff


def box(name: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I4s", 8 + len(body) if size is None else size, name) + body


def packets(count: int, lead: bytes = b"") -> bytes:
    return (lead + b"\x47" + bytes(187)) * count


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (box(b"ftyp", b"isom\x00\x00\x02\x00isomiso2avc1mp41"), Kind.MP4),
        (box(b"ftyp", b"mp42\x00\x00\x00\x00"), Kind.MP4),
        (box(b"ftyp", b"M4V \x00\x00\x00\x00"), Kind.M4V),
        (box(b"ftyp", b"3gp4\x00\x00\x00\x00"), Kind.MP4),
        (box(b"ftyp", b"qt  \x20\x05\x03\x00qt  "), Kind.MOV),
        (box(b"wide") + box(b"mdat", size=2**31), Kind.MOV),
        (box(b"mdat", size=1) + bytes(8), Kind.MOV),
        (box(b"mdat", size=0), Kind.MOV),
        (box(b"moov", box(b"mvhd")), Kind.MOV),
        (box(b"skip", bytes(9)), Kind.MOV),
        (box(b"free", bytes(9)), Kind.MOV),
        (box(b"pnot", bytes(12)), Kind.MOV),
        (box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic"), Kind.PICTURE),
        (box(b"ftyp", b"avif\x00\x00\x00\x00"), Kind.PICTURE),
        (box(b"styp", b"msdh\x00\x00\x00\x00"), Kind.FRAGMENT),
        (box(b"moof", bytes(99)), Kind.FRAGMENT),
        (b"\x1a\x45\xdf\xa3" + bytes(40), Kind.MKV),
        (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska" + bytes(40), Kind.MKV),
        (b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm" + bytes(40), Kind.WEBM),
        (b"\x1a\x45\xdf\xa3\x8e\x42\x82\x01\x00\x00\x00\x00\x00\x00\x04webm" + bytes(40), Kind.WEBM),
        (b"RIFF\x00\x00\x00\x01AVI LIST", Kind.AVI),
        (b"RIFF\x00\x00\x00\x01WAVEfmt ", Kind.SOUND),
        (b"RIFF\x00\x00\x00\x01WEBPVP8 ", Kind.PICTURE),
        (b"RIFF\x00\x00\x00\x01????", Kind.UNKNOWN),
        (packets(6)[:ENOUGH], Kind.MPEG_TS),
        (packets(6, lead=b"\x00\x01\x02\x03")[:ENOUGH], Kind.MPEG_TS),
        (b"\x00\x00\x01\xba" + bytes(40), Kind.MPEG_PS),
        (b"FLV\x01\x05", Kind.FLV),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Kind.ASF),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\nfile:///etc/passwd\n", Kind.PLAYLIST),
        (b"\xef\xbb\xbf\r\n #EXTM3U", Kind.PLAYLIST),
        (b'<?xml version="1.0"?>\n<MPD type="static">', Kind.PLAYLIST),
        (b"ffconcat version 1.0\nfile a.mp4\n", Kind.PLAYLIST),
        (b"\x89PNG\r\n\x1a\n" + bytes(20), Kind.PICTURE),
        (b"\xff\xd8\xff\xe0", Kind.PICTURE),
        (b"GIF89a", Kind.PICTURE),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', Kind.PICTURE),
        (b"ID3\x04", Kind.SOUND),
        (b"OggS\x00", Kind.SOUND),
        (b"PK\x03\x04\x14", Kind.ARCHIVE),
        (b"%PDF-1.7\n", Kind.DOCUMENT),
        (b"hello", Kind.TEXT),
        ("Überraschung 🎬\n".encode() * 99, Kind.TEXT),
        (("x" + "🎬" * 400).encode()[:ENOUGH], Kind.TEXT),
        (b"", Kind.EMPTY),
        (b"\x00", Kind.UNKNOWN),
        (bytes(ENOUGH), Kind.UNKNOWN),
        (b"\xde\xad\xbe\xef" * 200, Kind.UNKNOWN),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, kind: Kind) -> None:
    assert sniff(head) is kind


@pytest.mark.parametrize(
    "text",
    [b"the free world", b"why mdat is not", b"see moov in the text", b"    ftypisom", b"go! skip this line", b"GGGGG"],
)
def test_a_text_is_no_video_because_of_a_word_in_it(text: bytes) -> None:
    assert sniff(text) is Kind.TEXT


@pytest.mark.parametrize("kind", Kind)
def test_only_mp4_and_mov_are_taken_and_all_else_has_its_sentence(kind: Kind) -> None:
    failure = refusal(kind)

    assert (failure is None) == (kind in {Kind.MP4, Kind.MOV})
    assert failure is None or (failure.code, failure.final) == ("not_a_video", True)
    assert failure is None or "upload" in failure.sentence


@pytest.mark.parametrize("kind", MORE)
def test_what_a_setting_adds_is_taken_and_nothing_else_with_it(kind: Kind) -> None:
    assert [one for one in Kind if refusal(one, [kind.value]) is None and refusal(one)] == [kind]


@given(st.binary(max_size=2 * ENOUGH))
@example(packets(1)[:188])
@example(b"\xf0\x9f")
def test_any_bytes_are_of_some_kind(head: bytes) -> None:
    assert isinstance(sniff(head), Kind)


@given(st.text(min_size=1, max_size=300))
def test_what_a_person_typed_is_never_taken(text: str) -> None:
    assert refusal(sniff(text.replace("\0", "").encode())) is not None or not text.isprintable()
