"""The command line that looks at a video, pure: its stretches in, arguments of ffmpeg out.

Standard output gets a line for each decoded frame, which nobody copies for that (framecrc of wrapped frames); a few
frames become small pictures in the folder, and are kept as they are beside those, to plan by.
"""

from collections.abc import Sequence
from pathlib import Path

from retake.domain.limits import Limits
from retake_worker.chosen import Chosen
from retake_worker.clip import HDR
from retake_worker.ffmpeg_command import SMALL, SOURCE, TONEMAPPED, reading
from retake_worker.movie import Track
from retake_worker.windows import Window

PICTURE = "picture-{window}-%02d.webp"
SAMPLES = "samples-{window}.y4m"
PICTURES = 6


def probe_arguments(chosen: Chosen, stretches: Sequence[Window], demuxer: str, limits: Limits) -> list[str]:
    """One input for each stretch, each with a decoder of its own. Edit lists are set aside: all samples count. The file
    is looked into by ffmpeg once; opening it again, all that is needed is in its index."""
    inputs, chains, outputs = [], [], []
    small = ",".join([*_as_in_takes(chosen.picture), SMALL])
    for number, window in enumerate(stretches):
        seek = (
            [] if window.start is None else ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{window.start:.6f}"]
        )
        quickly = [] if number == 0 else ["-probesize", "32", "-analyzeduration", "0"]
        inputs += [*reading(demuxer, limits), *quickly, "-ignore_editlist", "1", *seek, "-i", f"file:{SOURCE}"]
        every = max(1, window.frames * len(stretches) // PICTURES)
        told = "showinfo=checksum=0," if number == 0 else ""
        chains += [
            f"[{number}:{chosen.picture.number}]trim=end_frame={window.frames},{told}split[f{number}][d{number}]",
            f"[d{number}]select=not(mod(n-{every // 2}\\,{every})),{small},split[p{number}][q{number}]",
        ]
        outputs += ["-map", f"[f{number}]"]
    if chosen.sound is not None:
        chains.append(f"[0:{chosen.sound.number}]atrim=end_sample=4096[s]")
        outputs += ["-map", "[s]"]
    outputs += ["-c:v", "wrapped_avframe", "-fps_mode", "passthrough", "-f", "framecrc", "pipe:1"]
    for number in range(len(stretches)):
        outputs += [
            "-map", f"[p{number}]", "-fps_mode", "passthrough", "-c:v", "libwebp", "-quality", "75",
            "-f", "image2", PICTURE.format(window=number),
            "-map", f"[q{number}]", "-fps_mode", "passthrough", "-f", "yuv4mpegpipe", SAMPLES.format(window=number),
        ]  # fmt: skip
    return [
        "-nostdin", "-hide_banner", "-v", "repeat+info", "-nostats", "-y", "-max_error_rate", "1", *inputs,
        "-filter_threads", "1", "-filter_complex_threads", "1", "-filter_complex", ";".join(chains), *outputs,
    ]  # fmt: skip


def _as_in_takes(picture: Track) -> list[str]:
    """Nothing to be done, unless the file says that it is of high dynamic range."""
    if picture.transfer not in HDR:
        return []
    curve = HDR[picture.transfer]
    return [f"setparams=range=tv:color_primaries=bt2020:color_trc={curve}:colorspace=bt2020nc", *TONEMAPPED]


def pictures(folder: Path) -> list[bytes]:
    """The small pictures that the run left."""
    return [file.read_bytes() for file in sorted(folder.glob("picture-*.webp"))]
