"""The command lines, pure: what is known of a source, and recipes, in; arguments of ffmpeg out.

A source is decoded once for all the takes of a run: `split` gives each take its own copy of every frame. Outputs that
filter for themselves (-vf, -af) would decode once as well, but ffmpeg can wait for itself for ever when their speeds
differ. Everything has one thread: more threads cost more in all, and change the bytes; other cores have other parts.

Beside each take, and for the source, a few small frames are kept as they go to the encoder, the same ones of each: what
takes are compared by. They cost next to nothing here, where decoding every file again would cost a third of its making.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retake.domain.effects import EFFECTS
from retake.domain.limits import Limits
from retake_worker.clip import MOST_FPS, Clip
from retake_worker.codecs import DECODERS
from retake_worker.engine import CLOCK, STANDARD, Engine, encoding

Recipe = Mapping[str, Any]

SOURCE = "source"
"""The source's name in the folder of a run."""

_FULL_HD = 1920 * 1080
_THUMBS = 6


@dataclass(frozen=True)
class Profile:
    """How pictures are encoded. The caps are for pictures up to 1080p and grow with larger ones."""

    preset: str
    crf: int
    maxrate: int
    bufsize: int
    x264: str


PROFILES: Mapping[str, Profile] = {
    "fast": Profile("ultrafast", 23, 2_300_000, 3_700_000, "cabac=1"),
    "balanced": Profile(
        "superfast", 23, 4_600_000, 7_400_000, "aq-mode=0:rc-lookahead=0:sync-lookahead=0:mbtree=0:bframes=0"
    ),
    "best": Profile("veryfast", 20, 16_000_000, 32_000_000, "aq-mode=0"),
}


def file_of(index: int) -> str:
    """A take's name in the folder of a run."""
    return f"{index}.mp4"


def look_of(index: int) -> str:
    """The name of a take's small frames, as plain planes of Y, U and V; 0 is the source."""
    return f"{index}.yuv"


SISTERS = "sisters.yuv"
"""The small frames of takes that are made elsewhere, one below the other."""


_SIDE = 320
SMALL = (
    f"scale=w='if(gte(dar,1),{_SIDE},max(2,2*round({_SIDE // 2}*dar)))'"
    f":h='if(gte(dar,1),max(2,2*round({_SIDE // 2}/dar)),{_SIDE})',setsar=1,format=yuv420p"
)
"""A picture to be looked at, its pixels square."""


TONEMAPPED = (
    "zscale=t=linear:npl=203", "format=gbrpf32le", "zscale=p=bt709", "tonemap=mobius:desat=0:peak=4.926",
    "zscale=t=bt709:m=bt709:r=tv", "format=yuv420p",
)  # fmt: skip
"""High dynamic range as BT.709: white of graphics (203 cd/m2) stays just below white, what is brighter is bent into the
little that is left, up to 1000 cd/m2."""


def thumbs_of(index: int, number: str) -> str:
    """The names of small pictures of a take; of a few key frames, counted from 01."""
    return f"{index}-{number}.webp"


def reading(demuxer: str, limits: Limits) -> list[str]:
    """Everything before -i: the file is one local file of one kind, however it describes itself, and not too large."""
    only_inside = ["-enable_drefs", "0", "-use_absolute_path", "0"] if demuxer == "mov" else []
    return [
        "-protocol_whitelist", "file", "-f", demuxer, *only_inside, "-probesize", "10M", "-analyzeduration", "10M",
        "-codec_whitelist", ",".join(DECODERS), "-max_pixels", str(limits.pixels), "-threads", "1",
    ]  # fmt: skip


QUIETLY = ["-nostdin", "-hide_banner", "-v", "error", "-y"]
TELLING = ["-nostdin", "-hide_banner", "-v", "repeat+warning", "-nostats", "-y", "-max_error_rate", "1"]
"""Each damaged frame is told of, and is no error."""


def render_arguments(
    clip: Clip,
    recipes: Sequence[Recipe],
    limits: Limits,
    sisters: Sequence[Recipe] = (),
    *,
    engine: Engine = STANDARD,
) -> list[str]:
    """Makes a take of each recipe, in one run; of its `sisters`, which are made elsewhere, only the small frames."""
    return [
        *TELLING, *reading(clip.demuxer, limits), "-i", f"file:{SOURCE}",
        "-filter_threads", "1", "-filter_complex_threads", "1", "-filter_complex", _graph(clip, recipes, sisters),
        *(argument for recipe in recipes for argument in _output(clip, recipe, engine)),
        *(argument for index in [0, *(recipe["index"] for recipe in recipes)] for argument in _look_output(index)),
        *(["-map", "[l]", "-fps_mode", "passthrough", "-f", "rawvideo", SISTERS] if sisters else []),
    ]  # fmt: skip


def check_arguments(indices: Sequence[int], limits: Limits) -> list[str]:
    """Decodes the key frames of takes; what cannot be decoded is an error. The first of each become small pictures."""
    reads = [*reading("mov", limits), "-skip_frame", "nokey", "-err_detect", "explode"]
    return [
        *QUIETLY, "-xerror", *(argument for index in indices for argument in [*reads, "-i", f"file:{file_of(index)}"]),
        *(argument for number in range(len(indices)) for argument in ["-map", f"{number}:v"]),
        "-fps_mode", "passthrough", "-f", "null", "-",
        *(argument for number, index in enumerate(indices) for argument in _thumbs(number, index)),
    ]  # fmt: skip


def _thumbs(number: int, index: int) -> list[str]:
    return [
        "-map", f"{number}:v", "-vf", SMALL, "-fps_mode", "passthrough", "-frames:v", str(_THUMBS),
        "-c:v", "libwebp", "-quality", "75", "-f", "image2", thumbs_of(index, "%02d"),
    ]  # fmt: skip


def decode_arguments(clip: Clip, limits: Limits) -> list[str]:
    """Decodes all pictures of the source, for nothing but to hear which are damaged."""
    return [
        *TELLING, *reading(clip.demuxer, limits), "-i", f"file:{SOURCE}",
        "-map", f"0:{clip.picture}", "-fps_mode", "passthrough", "-f", "null", "-",
    ]  # fmt: skip


def _graph(clip: Clip, recipes: Sequence[Recipe], sisters: Sequence[Recipe]) -> str:
    """Labels: s is a take's copy of the frames, v its picture, c and l the copy and the result that it is compared by;
    t is its copy of the sound, a its sound. m is a sister's copy of the few frames, n her small ones."""
    indices = [recipe["index"] for recipe in recipes]
    chains = [
        f"[0:{clip.picture}]{_joined(_common_video(clip), f'split={len(recipes) + 1}')}{_labels('s', [0, *indices])}"
    ]
    chains += [
        f"[s{recipe['index']}]{_joined(_video(recipe, clip), f'setsar={clip.pixel_aspect}', 'split=2')}"
        f"[{'w' if _times(recipe, clip) else 'v'}{recipe['index']}][c{recipe['index']}]"
        for recipe in recipes
    ]
    chains += [
        f"[w{recipe['index']}]{_joined(times)}[v{recipe['index']}]"
        for recipe in recipes
        if (times := _times(recipe, clip))
    ]
    chains += _looks(clip, indices, sisters)
    if clip.sound is not None:
        chains.append(
            f"[0:{clip.sound}]{_joined(_common_audio(clip), f'asplit={len(recipes)}')}{_labels('t', indices)}"
        )
        chains += [
            f"[t{recipe['index']}]{_joined(_audio(recipe, clip) or 'anull')}[a{recipe['index']}]" for recipe in recipes
        ]
    return ";".join(chains)


def _looks(clip: Clip, indices: Sequence[int], sisters: Sequence[Recipe]) -> list[str]:
    """The small frames of the source, of the takes, and of all sisters, one below the other."""
    size, wanted = clip.look_size, "+".join(f"eq(n,{n})" for n in clip.look_positions)
    few, small = f"select='{wanted}'", f"scale={size.width}:{size.height}:flags=area,format=yuv444p"
    chains = [f"[c{index}]{few},{small}[l{index}]" for index in indices]
    if not sisters:
        return [f"[s0]{few},{small}[l0]", *chains]
    names = [sister["index"] for sister in sisters]
    stacked = f"{_labels('n', names)}vstack=inputs={len(names)}" if len(names) > 1 else f"[n{names[0]}]null"
    return [
        f"[s0]{few},split={len(names) + 1}[m0]{_labels('m', names)}",
        f"[m0]{small}[l0]",
        *(f"[m{sister['index']}]{_joined(_video(sister, clip), small)}[n{sister['index']}]" for sister in sisters),
        f"{stacked}[l]",
        *chains,
    ]


def _common_video(clip: Clip) -> list[str]:
    """What every take needs is done once, before they part: progressive frames of even size, 8 bits, limited range."""
    filters = ["bwdif=mode=send_frame"] if clip.interlaced else []
    if clip.fps > MOST_FPS:
        filters.append(f"fps={MOST_FPS}")
    filters += _colours(clip)
    filters.append(f"settb=1/{CLOCK}")
    if (clip.width, clip.height) != (clip.size.width, clip.size.height):
        filters.append(f"crop={clip.size.width}:{clip.size.height}:0:0")
    return filters


def _colours(clip: Clip) -> list[str]:
    """High dynamic range becomes BT.709. All else keeps its colours, and says which they are."""
    colours = clip.colours
    named = (
        f"setparams=range={colours.range}:color_primaries={colours.primaries}"
        f":color_trc={colours.transfer}:colorspace={colours.matrix}"
    )
    if clip.hdr:
        return [named, *TONEMAPPED]
    if clip.rgb:
        return [f"scale=out_range=tv:out_color_matrix={colours.matrix}", "format=yuv420p", named]
    return [named, "scale=out_range=tv", "format=yuv420p"] if colours.range == "pc" else [named, "format=yuv420p"]


def _common_audio(clip: Clip) -> list[str]:
    """Sound that starts late or has holes gets silence there, which a change of speed would otherwise lose. Surround is
    mixed down as loud as it was, so that its peaks may add up to more than there is room for."""
    whole = "aresample=async=1:first_pts=0"
    if clip.surround:  # FFmpeg 5.1 cannot choose between two layouts for it
        return [whole, "aformat=channel_layouts=stereo", "alimiter=limit=0.97:level=disabled:latency=enabled"]
    return [whole, "aformat=channel_layouts=mono|stereo"]


def _video(recipe: Recipe, clip: Clip) -> list[str]:
    return [text for step in recipe["effects"] for text in EFFECTS[step["name"]].video(step["params"], clip.size)]


def _times(recipe: Recipe, clip: Clip) -> list[str]:
    """After a take's small frames are taken, so that these are the same ones of the source in every take."""
    return [text for step in recipe["effects"] for text in EFFECTS[step["name"]].times(step["params"], clip.seconds)]


def _audio(recipe: Recipe, clip: Clip) -> list[str]:
    return [text for step in recipe["effects"] for text in EFFECTS[step["name"]].audio(step["params"], clip.seconds)]


def _output(clip: Clip, recipe: Recipe, engine: Engine) -> list[str]:
    """Frames keep their own times (passthrough); the metadata of the source stays behind."""
    index, profile = recipe["index"], PROFILES[recipe["output"]["profile"]]
    larger = max(1.0, clip.size.width * clip.size.height / _FULL_HD)
    sound = (
        ["-map", f"[a{index}]", "-c:a", "aac", "-aac_coder", "fast", "-b:a", "128k", "-flags:a", "+bitexact"]
        if clip.sound is not None
        else []
    )
    pictures = encoding(
        engine.encoder,
        preset=profile.preset,
        crf=profile.crf,
        maxrate=round(profile.maxrate * larger),
        bufsize=round(profile.bufsize * larger),
        x264=profile.x264,
    )
    return [
        "-map", f"[v{index}]", "-fps_mode", "passthrough", "-enc_time_base", engine.time_base,
        *pictures, "-flags:v", "+bitexact",
        *sound,
        "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-movflags", "+faststart",
        file_of(index),
    ]  # fmt: skip


def _look_output(index: int) -> list[str]:
    return ["-map", f"[l{index}]", "-fps_mode", "passthrough", "-f", "rawvideo", look_of(index)]


def _joined(*parts: str | Sequence[str]) -> str:
    return ",".join(text for part in parts for text in ([part] if isinstance(part, str) else part))


def _labels(letter: str, indices: Sequence[int]) -> str:
    return "".join(f"[{letter}{index}]" for index in indices)
