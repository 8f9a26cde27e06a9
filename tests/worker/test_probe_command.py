from pathlib import Path

from clips import Clips
from retake.domain.limits import Limits
from retake_worker.ffmpeg_command import SMALL, reading
from retake_worker.inspect import look_at
from retake_worker.probe_command import probe_arguments

QUIET = ["-nostdin", "-hide_banner", "-v", "repeat+info", "-nostats", "-y", "-max_error_rate", "1"]
PICTURE = ["-fps_mode", "passthrough", "-c:v", "libwebp", "-quality", "75", "-f", "image2"]


def arguments(clip: Path) -> list[str]:
    look = look_at(clip, Limits())
    return probe_arguments(look.chosen, look.stretches, "mov", Limits())


def test_a_small_video_is_decoded_whole_with_a_piece_of_its_sound(clips: Clips) -> None:
    chains = [
        "[0:0]trim=end_frame=60,showinfo=checksum=0,split[f0][d0]",
        f"[d0]select=not(mod(n-5\\,10)),{SMALL},split[p0][q0]",
        "[0:1]atrim=end_sample=4096[s]",
    ]

    assert arguments(clips("motion")) == [
        *QUIET,
        *reading("mov", Limits()), "-ignore_editlist", "1", "-i", "file:source",
        "-filter_threads", "1", "-filter_complex_threads", "1", "-filter_complex", ";".join(chains),
        "-map", "[f0]", "-map", "[s]",
        "-c:v", "wrapped_avframe", "-fps_mode", "passthrough", "-f", "framecrc", "pipe:1",
        "-map", "[p0]", *PICTURE, "picture-0-%02d.webp",
        "-map", "[q0]", "-fps_mode", "passthrough", "-f", "yuv4mpegpipe", "samples-0.y4m",
    ]  # fmt: skip


def test_a_long_video_is_sought_at_frames_that_need_no_other(clips: Clips) -> None:
    found = arguments(clips("long"))

    seeks = [round(float(found[at + 1]), 2) for at, argument in enumerate(found) if argument == "-ss"]
    assert seeks == [1.08, 3.08, 5.08, 6.08]
    assert found.count("-noaccurate_seek") == found.count("-seek_timestamp") == 4
    assert found.count("file:source") == 5
    assert [found[at + 1] for at, argument in enumerate(found) if argument == "-probesize"].count("32") == 4
    assert "trim=end_frame=10" in " ".join(found)
