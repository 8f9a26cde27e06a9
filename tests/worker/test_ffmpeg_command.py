"""Whole command lines, as they must be: each argument has its reason (ffmpeg_command.py, and the render page)."""

from dataclasses import replace
from typing import Any

import pytest

from retake.domain.candidates import Candidates
from retake.domain.limits import Limits
from retake_worker.clip import Clip
from retake_worker.codecs import DECODERS
from retake_worker.ffmpeg_command import SMALL, check_arguments, decode_arguments, render_arguments
from retake_worker.probe import Colours

LIMITS = Limits()
FULL_HD = Clip(width=1920, height=1080, fps=30, frames=300, seconds=10, sound=1)

PLAIN: dict[str, Any] = {
    "version": 1,
    "index": 4,
    "seed": 1,
    "preset": "classic",
    "effects": [],
    "output": {"profile": "fast"},
}
ALL: dict[str, Any] = {
    **PLAIN,
    "index": 2,
    "effects": [
        {"name": "zoom", "params": {"factor": 1.1, "x": 0.25, "y": 0.75}},
        {"name": "mirror", "params": {}},
        {"name": "colour", "params": {"brightness": 0.03, "contrast": 0.98, "saturation": 1.07, "hue": -3.5}},
        {"name": "noise", "params": {"strength": 5, "seed": 99}},
        {"name": "speed", "params": {"factor": 1.04}},
    ],
}


def after(arguments: list[str], name: str) -> str:
    """The value of the first argument of this name."""
    return arguments[arguments.index(name) + 1]


def graph(clip: Clip, *recipes: dict[str, Any]) -> list[str]:
    return after(render_arguments(clip, recipes, LIMITS), "-filter_complex").split(";")


def test_two_takes_of_a_video_with_sound() -> None:
    arguments = render_arguments(FULL_HD, [ALL, PLAIN], LIMITS)

    assert arguments == [
        "-nostdin", "-hide_banner", "-v", "repeat+warning", "-nostats", "-y", "-max_error_rate", "1",
        "-protocol_whitelist", "file", "-f", "mov", "-enable_drefs", "0", "-use_absolute_path", "0",
        "-probesize", "10M", "-analyzeduration", "10M", "-codec_whitelist", ",".join(DECODERS),
        "-max_pixels", "9437184", "-threads", "1",
        "-i", "file:source",
        "-filter_threads", "1", "-filter_complex_threads", "1",
        "-filter_complex",
        ("[0:0]setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,format=yuv420p,"
        "settb=1/90000,split=3[s0][s2][s4];"
        "[s2]crop=1744:980:44:74,zscale=1920:1080:filter=bicubic:param_a=0:param_b=0.6,hflip,eq=brightness=0.032:contrast=0.98:saturation=1.07,"
        "hue=h=-3.5,noise=alls=5:allf=t+u:all_seed=99,setsar=1,split=2[w2][c2];"
        "[s4]setsar=1,split=2[v4][c4];"
        "[w2]setpts=PTS/1.04[v2];"
        "[s0]select='eq(n,25)+eq(n,75)+eq(n,125)+eq(n,175)+eq(n,225)+eq(n,275)',scale=160:90:flags=area,format=yuv444p[l0];"
        "[c2]select='eq(n,25)+eq(n,75)+eq(n,125)+eq(n,175)+eq(n,225)+eq(n,275)',scale=160:90:flags=area,format=yuv444p[l2];"
        "[c4]select='eq(n,25)+eq(n,75)+eq(n,125)+eq(n,175)+eq(n,225)+eq(n,275)',scale=160:90:flags=area,format=yuv444p[l4];"
        "[0:1]aresample=async=1:first_pts=0,aformat=channel_layouts=mono|stereo,asplit=2[t2][t4];"
        "[t2]dcshift=0.004,atempo=1.04,dcshift=-0.004[a2];"
        "[t4]anull[a4]"),
        "-map", "[v2]", "-fps_mode", "passthrough", "-enc_time_base", "filter",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-maxrate", "2300000", "-bufsize", "3700000",
        "-x264-params", "cabac=1", "-threads", "1", "-flags:v", "+bitexact",
        "-map", "[a2]", "-c:a", "aac", "-aac_coder", "fast", "-b:a", "128k", "-flags:a", "+bitexact",
        "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-movflags", "+faststart", "2.mp4",
        "-map", "[v4]", "-fps_mode", "passthrough", "-enc_time_base", "filter",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-maxrate", "2300000", "-bufsize", "3700000",
        "-x264-params", "cabac=1", "-threads", "1", "-flags:v", "+bitexact",
        "-map", "[a4]", "-c:a", "aac", "-aac_coder", "fast", "-b:a", "128k", "-flags:a", "+bitexact",
        "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-movflags", "+faststart", "4.mp4",
        "-map", "[l0]", "-fps_mode", "passthrough", "-f", "rawvideo", "0.yuv",
        "-map", "[l2]", "-fps_mode", "passthrough", "-f", "rawvideo", "2.yuv",
        "-map", "[l4]", "-fps_mode", "passthrough", "-f", "rawvideo", "4.yuv",
    ]  # fmt: skip


def test_one_take_of_a_silent_video_of_odd_size() -> None:
    odd = Clip(
        width=321,
        height=181,
        fps=25,
        frames=2,
        seconds=0.08,
        sound=None,
        pixel_aspect="4/3",
        colours=Colours("tv", "smpte170m", "smpte170m", "smpte170m"),
    )

    arguments = render_arguments(odd, [PLAIN], LIMITS)

    assert arguments == [
        "-nostdin", "-hide_banner", "-v", "repeat+warning", "-nostats", "-y", "-max_error_rate", "1",
        "-protocol_whitelist", "file", "-f", "mov", "-enable_drefs", "0", "-use_absolute_path", "0",
        "-probesize", "10M", "-analyzeduration", "10M", "-codec_whitelist", ",".join(DECODERS),
        "-max_pixels", "9437184", "-threads", "1",
        "-i", "file:source",
        "-filter_threads", "1", "-filter_complex_threads", "1",
        "-filter_complex",
        ("[0:0]setparams=range=tv:color_primaries=smpte170m:color_trc=smpte170m:colorspace=smpte170m,format=yuv420p,"
        "settb=1/90000,crop=320:180:0:0,split=2[s0][s4];"
        "[s4]setsar=4/3,split=2[v4][c4];"
            "[s0]select='eq(n,0)+eq(n,1)',scale=160:90:flags=area,format=yuv444p[l0];"
            "[c4]select='eq(n,0)+eq(n,1)',scale=160:90:flags=area,format=yuv444p[l4]"),
        "-map", "[v4]", "-fps_mode", "passthrough", "-enc_time_base", "filter",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-maxrate", "2300000", "-bufsize", "3700000",
        "-x264-params", "cabac=1", "-threads", "1", "-flags:v", "+bitexact",
        "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-movflags", "+faststart", "4.mp4",
        "-map", "[l0]", "-fps_mode", "passthrough", "-f", "rawvideo", "0.yuv",
        "-map", "[l4]", "-fps_mode", "passthrough", "-f", "rawvideo", "4.yuv",
    ]  # fmt: skip


READING = [
    "-protocol_whitelist", "file", "-f", "mov", "-enable_drefs", "0", "-use_absolute_path", "0",
    "-probesize", "10M", "-analyzeduration", "10M", "-codec_whitelist", ",".join(DECODERS),
    "-max_pixels", "9437184", "-threads", "1",
]  # fmt: skip


def test_of_takes_that_are_made_elsewhere_only_small_frames_are_made() -> None:
    one, other, third = ({**PLAIN, "index": n, "effects": [{"name": "mirror", "params": {}}]} for n in (1, 2, 3))
    arguments = render_arguments(FULL_HD, [PLAIN], LIMITS, [one, other, third])

    chains = after(arguments, "-filter_complex").split(";")
    few = "select='eq(n,25)+eq(n,75)+eq(n,125)+eq(n,175)+eq(n,225)+eq(n,275)'"
    small = "scale=160:90:flags=area,format=yuv444p"
    assert chains[2:8] == [
        f"[s0]{few},split=4[m0][m1][m2][m3]", f"[m0]{small}[l0]", f"[m1]hflip,{small}[n1]", f"[m2]hflip,{small}[n2]",
        f"[m3]hflip,{small}[n3]", "[n1][n2][n3]vstack=inputs=3[l]",
    ]  # fmt: skip
    assert arguments[-7:] == ["-map", "[l]", "-fps_mode", "passthrough", "-f", "rawvideo", "sisters.yuv"]


def test_the_key_frames_of_all_takes_are_decoded_in_one_run() -> None:
    keys = ["-skip_frame", "nokey", "-err_detect", "explode"]
    small = ["-vf", SMALL, "-fps_mode", "passthrough", "-frames:v", "6", "-c:v", "libwebp", "-quality", "75",
             "-f", "image2"]  # fmt: skip

    assert check_arguments([2, 4], LIMITS) == [
        "-nostdin", "-hide_banner", "-v", "error", "-y", "-xerror",
        *READING, *keys, "-i", "file:2.mp4", *READING, *keys, "-i", "file:4.mp4",
        "-map", "0:v", "-map", "1:v", "-fps_mode", "passthrough", "-f", "null", "-",
        "-map", "0:v", *small, "2-%02d.webp", "-map", "1:v", *small, "4-%02d.webp",
    ]  # fmt: skip


def test_a_source_is_decoded_for_its_errors() -> None:
    assert decode_arguments(FULL_HD, LIMITS) == [
        "-nostdin", "-hide_banner", "-v", "repeat+warning", "-nostats", "-y", "-max_error_rate", "1", *READING,
        "-i", "file:source", "-map", "0:0", "-fps_mode", "passthrough", "-f", "null", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(("fps", "capped"), [(23.976, False), (59.94, False), (60, False), (120, True), (240, True)])
def test_the_frame_rate_is_kept_up_to_sixty(fps: float, *, capped: bool) -> None:
    video = graph(Clip(640, 360, fps, 99, 3.3, sound=None), PLAIN)[0]

    assert ("]fps=60,setparams" in video) is capped


@pytest.mark.parametrize(
    ("what", "chain"),
    [
        (
            {"colours": Colours("tv", "bt2020nc", "bt2020", "smpte2084")},
            (
                "setparams=range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc,"
                "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0:peak=4.926,"
                "zscale=t=bt709:m=bt709:r=tv,format=yuv420p,settb=1/90000"
            ),
        ),
        (
            {"colours": Colours("pc", "bt709", "bt709", "bt709")},
            (
                "setparams=range=pc:color_primaries=bt709:color_trc=bt709:colorspace=bt709,"
                "scale=out_range=tv,format=yuv420p,settb=1/90000"
            ),
        ),
        (
            {"rgb": True},
            (
                "scale=out_range=tv:out_color_matrix=bt709,format=yuv420p,"
                "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,settb=1/90000"
            ),
        ),
        (
            {"interlaced": True, "fps": 120},
            (
                "bwdif=mode=send_frame,fps=60,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,"
                "format=yuv420p,settb=1/90000"
            ),
        ),
    ],
)
def test_what_takes_share_is_done_before_they_part(what: dict[str, Any], chain: str) -> None:
    clip = replace(FULL_HD, sound=None, **what)

    assert graph(clip, PLAIN)[0] == f"[0:0]{chain},split=2[s0][s4]"


def test_surround_is_mixed_down_once_for_all_takes() -> None:
    sound = graph(replace(FULL_HD, surround=True), PLAIN, ALL)[-3]

    assert sound == (
        "[0:1]aresample=async=1:first_pts=0,aformat=channel_layouts=stereo,"
        "alimiter=limit=0.97:level=disabled:latency=enabled,asplit=2[t4][t2]"
    )


@pytest.mark.parametrize(
    ("width", "height", "maxrate", "bufsize"),
    [
        (640, 360, "2300000", "3700000"),
        (1080, 1920, "2300000", "3700000"),
        (2560, 1440, "4088889", "6577778"),
        (3840, 2160, "9200000", "14800000"),
    ],
)
def test_the_cap_grows_only_above_full_hd(width: int, height: int, maxrate: str, bufsize: str) -> None:
    arguments = render_arguments(Clip(width, height, 30, 99, 3.3, sound=None), [PLAIN], LIMITS)

    assert (after(arguments, "-maxrate"), after(arguments, "-bufsize")) == (maxrate, bufsize)


def test_only_what_reads_mp4_is_told_about_references_to_other_files() -> None:
    arguments = render_arguments(Clip(640, 360, 30, 99, 3.3, sound=None, demuxer="avi"), [PLAIN], LIMITS)

    assert after(arguments, "-f") == "avi"
    assert "-enable_drefs" not in arguments


def test_however_many_takes_the_source_is_read_once() -> None:
    recipes = Candidates(3, "ab" * 32, 5).first()

    arguments = render_arguments(FULL_HD, recipes, LIMITS)

    assert arguments.count("-i") == 1
    assert [argument for argument in arguments if argument.endswith(".mp4")] == [f"{n}.mp4" for n in range(1, 6)]
    assert arguments.count("-threads") == 1 + 5


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(1920, 1080, (160, 90)), (1080, 1920, (90, 160)), (64, 64, (160, 160)), (4000, 20, (160, 16))],
)
def test_what_takes_are_compared_by_is_small(width: int, height: int, size: tuple[int, int]) -> None:
    looks = Clip(width, height, 30, 99, 3.3, sound=None).look_size

    assert (looks.width, looks.height) == size


@pytest.mark.parametrize(("frames", "positions"), [(1, [0]), (4, [0, 1, 2, 3]), (60, [5, 15, 25, 35, 45, 55])])
def test_takes_are_compared_all_over(frames: int, positions: list[int]) -> None:
    assert Clip(640, 360, 30, frames, frames / 30, sound=None).look_positions == positions
