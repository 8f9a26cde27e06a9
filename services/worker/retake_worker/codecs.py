"""The compressions that are taken: four letters in the file, and what FFmpeg calls them.

FFmpeg has some hundred decoders, most of them for formats nobody sends and few people look after; only these may run.
"""

from collections.abc import Mapping

PICTURES: Mapping[str, str] = {
    **dict.fromkeys(("avc1", "avc3"), "h264"),
    **dict.fromkeys(("hvc1", "hev1", "dvh1", "dvhe"), "hevc"),
    "vp08": "vp8",
    "vp09": "vp9",
    "av01": "av1",
    "mp4v": "mpeg4",
    **dict.fromkeys(("s263", "h263"), "h263"),
    **dict.fromkeys(("apch", "apcn", "apcs", "apco", "ap4h", "ap4x"), "prores"),
    **dict.fromkeys(("mjpg", "jpeg", "mjpa"), "mjpeg"),
}
SOUNDS: Mapping[str, str] = {
    "mp4a": "aac",
    "alac": "alac",
    "ac-3": "ac3",
    "ec-3": "eac3",
    **dict.fromkeys((".mp3", "ms\0U"), "mp3"),
    "Opus": "opus",
    "fLaC": "flac",
    **dict.fromkeys(("sowt", "twos", "lpcm", "ipcm", "fpcm", "in24", "in32", "fl32", "fl64", "raw ", "NONE"), "pcm"),
    "ulaw": "pcm_mulaw",
    "alaw": "pcm_alaw",
    "ima4": "adpcm_ima_qt",
    "samr": "amr_nb",
    "sawb": "amr_wb",
}

_OBJECT_TYPES = {
    0x60: "mpeg2video", 0x61: "mpeg2video", 0x62: "mpeg2video", 0x63: "mpeg2video", 0x64: "mpeg2video",
    0x65: "mpeg2video", 0x69: "mp3", 0x6A: "mpeg1video", 0x6B: "mp3", 0x6C: "mjpeg", 0xA5: "ac3", 0xA6: "eac3",
    0xAD: "opus", 0xDD: "vorbis",
}  # fmt: skip


def name_of(codec: str, object_type: int | None) -> str:
    """What FFmpeg calls it."""
    name = PICTURES.get(codec) or SOUNDS[codec]
    return name if object_type is None else _OBJECT_TYPES.get(object_type, name)


_PCM = [f"pcm_{sample}{end}" for sample in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")]
DECODERS = [
    "h264", "hevc", "vp8", "vp9", "libdav1d", "libaom-av1", "av1", "mpeg4", "mpeg2video", "mpeg1video", "h263",
    "prores", "mjpeg", "aac", "mp3", "mp3float", "mp2", "mp2float", "alac", "ac3", "eac3", "opus", "libopus", "flac",
    "vorbis", *_PCM, "pcm_u8", "pcm_s8", "pcm_mulaw", "pcm_alaw", "adpcm_ima_qt", "amrnb", "amrwb",
]  # fmt: skip
"""FFmpeg's names of the decoders for the above."""


def shown(codec: str) -> str:
    """Four letters from a file, for people."""
    return "".join(letter for letter in codec if letter.isprintable()).strip() or "something unnamed"
