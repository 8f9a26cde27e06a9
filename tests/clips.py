"""Clips for tests, made when first asked for: small, quick, and each with one thing about it.

`clips("motion")` (a fixture) is the path of a file. Most are FFmpeg's test pattern, encoded in one way or another: out
of GOOD, COPIED and OLD come takes, REFUSED are whole but not for us. BAD ones had something done to their bytes.
"""

import random
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PATTERN = "testsrc2=s={size}:r={rate}:d={seconds}"
SOUND = ["-f", "lavfi", "-i", "sine=440:d=2", "-c:a", "aac", "-b:a", "64k"]
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "30", "-pix_fmt", "yuv420p"]
SURROUND = "aevalsrc='0.6*sin(440*6*t)|0.6*sin(550*6*t)|0.6*sin(660*6*t)|0|0.6*sin(770*6*t)|0':c=5.1:s=48000:d=1"
BT2020 = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
PQ = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]


@dataclass(frozen=True)
class Encoded:
    """A pattern and what FFmpeg makes of it; `arguments` come after the pattern."""

    arguments: list[str]
    size: str = "320x180"
    rate: str = "30"
    seconds: float = 2
    source: str = PATTERN
    name: str = "{}.mp4"


GOOD: Mapping[str, Encoded] = {
    "motion": Encoded([*SOUND, *X264], size="480x270"),
    "vertical": Encoded(X264, size="270x480", rate="25"),
    "unicode": Encoded([*SOUND, *X264], name="Größe 🎬 видео.mp4"),
    "faststart": Encoded([*SOUND, *X264, "-movflags", "+faststart"]),
    "mov": Encoded(["-f", "lavfi", "-i", "sine=d=2", *X264, "-c:a", "pcm_s16le"], name="{}.mov"),
    "prores": Encoded(["-c:v", "prores_ks", "-profile:v", "0"], seconds=0.3, name="{}.mov"),
    "odd": Encoded([*X264, "-vf", "scale=321:181,setsar=1", "-pix_fmt", "yuv444p"], seconds=1),
    "anamorphic": Encoded([*X264, "-vf", "setsar=4/3"], seconds=1),
    "ntsc": Encoded(X264, rate="30000/1001"),
    "fast": Encoded(X264, rate="240", seconds=0.5),
    "uneven": Encoded([*X264, "-vf", "select='mod(n,7)*mod(n,5)'", "-fps_mode", "vfr"]),
    "long": Encoded(X264, size="1280x720", seconds=7),
    "long_gop": Encoded([*X264, "-g", "9999", "-sc_threshold", "0"], seconds=8),
    "one_frame": Encoded([*X264, "-frames:v", "1"]),
    "smallest": Encoded(X264, size="16x16", seconds=0.5),
    "hevc": Encoded(["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-tag:v", "hvc1"],
                    seconds=1),
    "hdr": Encoded(["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-tag:v", "hvc1",
                    "-pix_fmt", "yuv420p10le", "-vf", BT2020, *PQ], seconds=0.5),
    "hlg": Encoded(["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-tag:v", "hvc1",
                    "-pix_fmt", "yuv420p10le", "-vf", BT2020.replace("smpte2084", "arib-std-b67")], seconds=0.5),
    "ten_bits": Encoded([*X264, "-pix_fmt", "yuv420p10le"], seconds=0.5),
    "full_range": Encoded([*X264, "-vf", "scale=out_range=pc", "-pix_fmt", "yuvj420p"], seconds=0.5),
    "rgb": Encoded(["-c:v", "libx264rgb", "-preset", "ultrafast", "-pix_fmt", "rgb24"], seconds=0.5),
    "interlaced": Encoded([*X264, "-vf", "interlace=scan=tff", "-flags", "+ildct+ilme"], size="720x576", rate="50",
                          seconds=0.6),
    "vp9": Encoded(["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"], seconds=0.5),
    "av1": Encoded(["-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1"], seconds=0.5),
    "mpeg4_mp3": Encoded(["-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-c:a", "libmp3lame"], seconds=1),
    "two_sounds": Encoded(["-f", "lavfi", "-i", "sine=440:d=1", "-f", "lavfi", "-i", "sine=880:r=48000:d=1",
                           "-map", "0", "-map", "1", "-map", "2", *X264], seconds=1),
    "surround": Encoded(["-f", "lavfi", "-i", SURROUND, *X264, "-c:a", "aac"], seconds=1),
    "fragmented": Encoded([*SOUND, *X264, "-movflags", "frag_keyframe+empty_moov+default_base_moof"]),
    "dark_start": Encoded(X264, source="color=black:s=320x180:r=30:d=1.5[dark];testsrc2=s=320x180:r=30:d=1[lit];"
                          "[dark][lit]concat"),
    "dark": Encoded(X264, source="color=black:s=320x180:r=30:d=1"),
}  # fmt: skip
"""What must come out as takes."""

REFUSED: Mapping[str, Encoded] = {
    "sound_only": Encoded([*SOUND, "-map", "1"]),
    "too_small": Encoded(["-c:v", "mpeg4"], size="14x64", seconds=0.2),
    "too_large": Encoded([*X264, "-frames:v", "1"], source="color=gray:s=8192x4320:r=30:d=1"),
    "apart": Encoded([*X264, "-frames:v", "3", "-vf", "setpts=N*6*3600/TB", "-fps_mode", "passthrough"]),
    "protected": Encoded([*X264, "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1",
                          "-encryption_kid", "0" * 31 + "2"], seconds=0.5),
    "packets": Encoded([*X264, "-f", "mpegts"], seconds=0.5),
    "vp8": Encoded(["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8"], seconds=0.3, name="{}.webm"),
    "wma": Encoded(["-f", "lavfi", "-i", "sine=d=0.3", *X264, "-c:a", "wmav2"], seconds=0.3, name="{}.mkv"),
    "mkv_sound": Encoded([*SOUND, "-map", "1"], name="{}.mkv"),
}  # fmt: skip
"""Encoded well, and refused all the same."""

WRAPPED: Mapping[str, Encoded] = {
    "mkv": Encoded([*SOUND, *X264], name="{}.mkv"),
    "mkv_vorbis": Encoded(["-f", "lavfi", "-i", "sine=d=1", *X264, "-c:a", "libvorbis"], seconds=1, name="{}.mkv"),
    "webm": Encoded(["-f", "lavfi", "-i", "sine=d=0.5:r=48000", "-c:v", "libvpx-vp9", "-deadline", "realtime",
                     "-cpu-used", "8", "-c:a", "libopus"], seconds=0.5, name="{}.webm"),
    "webm_live": Encoded(["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-live", "1"],
                         seconds=0.5, name="{}.webm"),
    "avi": Encoded(["-f", "lavfi", "-i", "sine=d=1", "-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"], seconds=1,
                   name="{}.avi"),
    "avi_h264": Encoded(["-f", "lavfi", "-i", "sine=d=1", *X264, "-c:a", "pcm_s16le"], seconds=1, name="{}.avi"),
    "avi_mjpeg": Encoded(["-c:v", "mjpeg"], seconds=0.5, name="{}.avi"),
}  # fmt: skip
"""In other files than MP4 and MOV, and good."""

TINY: Mapping[str, Encoded] = {
    "tiny": Encoded([*SOUND, *X264, "-g", "15", "-movflags", "+faststart"], size="64x64"),
    "tiny_fragments": Encoded([*SOUND, *X264, "-movflags", "frag_keyframe+empty_moov+default_base_moof"], size="64x64"),
    "tiny_mov": Encoded(["-f", "lavfi", "-i", "sine=d=2:r=8000", *X264, "-c:a", "pcm_s16le"], size="64x64",
                        name="{}.mov"),
    "tiny_hevc": Encoded([*SOUND, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error",
                          "-tag:v", "hvc1"], size="64x64"),
}  # fmt: skip
"""To have things done to them by the thousand."""

COPIED: Mapping[str, tuple[str, list[str], list[str]]] = {
    "rotated": ("motion", ["-display_rotation", "-90"], []),
    "flipped": ("motion", ["-display_hflip"], []),
    "edited": ("motion", ["-ss", "0.5"], []),
    "delayed": ("motion", ["-itsoffset", "0.5"], []),
    "tiny_cut": ("tiny", ["-ss", "0.5"], []),
}
"""name -> the clip it is a copy of, what comes before it, what comes after it."""


def cut(data: bytes) -> bytes:
    return data[: len(data) * 6 // 10]


def flipped(data: bytes, after: float = 0) -> bytes:
    """One byte in two hundred of the pictures is another, from a share of them on; the boxes are as they were."""
    dice, changed = random.Random(1), bytearray(data)
    start, end = _mdat(data)
    start += int((end - start) * after)
    for place in dice.sample(range(start, end), (end - start) // 200):
        changed[place] ^= 1 << dice.randrange(8)
    return bytes(changed)


def hollow(data: bytes) -> bytes:
    """As long as it should be, and the second half never came: what an interrupted download leaves."""
    start, end = _mdat(data)
    middle = (start + end) // 2
    return data[:middle] + bytes(end - middle) + data[end:]


def hollow_end(data: bytes) -> bytes:
    """As hollow, of any file."""
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


def without_index(data: bytes) -> bytes:
    """What a recorder leaves that came to the end of the pictures and not to the index."""
    index = data.rindex(b"idx1")
    return data[:4] + struct.pack("<I", index - 8) + data[8:index]


def _mdat(data: bytes) -> tuple[int, int]:
    name = data.index(b"mdat")
    return name + 4, name - 4 + int.from_bytes(data[name - 4 : name])


def elsewhere(data: bytes) -> bytes:
    """Every track says that its samples are in another file: its reference is not marked as "this one"."""
    return data.replace(b"url \x00\x00\x00\x01", b"url \x00\x00\x00\x00")


def noise(_data: bytes) -> bytes:
    return random.Random(2).randbytes(50_000)


def picture(_data: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 13, b"IHDR") + bytes(2000)


BAD: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "truncated": ("faststart", cut),
    "headless": ("motion", cut),
    "no_moov": ("faststart", lambda data: data.replace(b"moov", b"free", 1)),
    "bit_flipped": ("motion", flipped),
    "flipped_late": ("long", lambda data: flipped(data, after=0.75)),
    "hollow": ("motion", hollow),
    "hollow_long": ("long", hollow),
    "elsewhere": ("motion", elsewhere),
    "bare": ("one_frame", lambda data: data[: int.from_bytes(data[:4])]),
    "cut_fragment": ("fragmented", cut),
    "mkv_cut": ("mkv", cut),
    "mkv_hollow": ("mkv", hollow_end),
    "mkv_head": ("mkv", lambda data: data[:40]),
    "webm_cut": ("webm", cut),
    "avi_cut": ("avi", cut),
    "avi_hollow": ("avi", hollow_end),
    "avi_without_index": ("avi", without_index),
    "avi_unfinished": ("avi", lambda data: data[:4] + bytes(4) + cut(data)[8:]),
    "empty": ("one_frame", lambda _data: b""),
    "text": ("one_frame", lambda _data: "Dear video,\nwhere are you? 🎬\n".encode() * 40),
    "random": ("one_frame", noise),
    "picture": ("one_frame", picture),
    "playlist": ("one_frame", lambda _data: b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n"),
}
"""name -> the clip it was made from, and what was done to its bytes."""

OLD: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "old_mov": ("mov", lambda data: data.replace(b"ftyp", b"free", 1)),
}
"""Made from bytes as well, and good."""


class Clips:
    """Makes each clip once."""

    def __init__(self, folder: Path, ffmpeg: Path) -> None:
        self._folder, self._ffmpeg = folder, ffmpeg
        self._made: dict[str, Path] = {}

    def __call__(self, name: str) -> Path:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def encode(self, name: str, clip: Encoded) -> Path:
        """One that is in no table."""
        file = self._folder / clip.name.format(name)
        source = clip.source.format(size=clip.size, rate=clip.rate, seconds=clip.seconds)
        self.run("-f", "lavfi", "-i", source, *clip.arguments, str(file))
        return file

    def run(self, *arguments: str) -> None:
        argv = [self._ffmpeg, "-nostdin", "-v", "error", "-y", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr

    def _make(self, name: str) -> Path:
        if (clip := GOOD.get(name) or WRAPPED.get(name) or REFUSED.get(name) or TINY.get(name)) is not None:
            return self.encode(name, clip)
        if name in COPIED:
            of, before, after = COPIED[name]
            file = self._folder / f"{name}.mp4"
            self.run(*before, "-i", str(self(of)), "-c", "copy", *after, str(file))
            return file
        of, change = BAD.get(name) or OLD[name]
        file = self._folder / f"{name}.mp4"
        file.write_bytes(change(self(of).read_bytes()))
        return file
