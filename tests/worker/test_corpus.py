"""Every sort of file that people upload, by name: out of it come takes that are right, or it ends in its own failure.

Each clip is made by the tests themselves (clips.py). Takes are looked at by a player that knows nothing of recipes.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from clips import BAD, COPIED, GOOD, OLD, REFUSED, WRAPPED
from playback import Player
from retake.domain.candidates import Candidates
from retake.domain.errors import BadInput
from retake.domain.recipe import speed_of
from retake_worker.render import check
from worker.cooking import Cook, make

pytestmark = pytest.mark.anyio

SHA256 = "ab" * 32
SECONDS = 10
"""No file may take longer to be refused, on a busy machine; most take a tenth of a second."""

SD, HD = "smpte170m", "bt709"


@dataclass(frozen=True)
class Take:
    """What a take of it is: whole frames of even size, colours that are named, and sound or none."""

    frames: int
    size: str = "320x180"
    colours: str = SD
    sound: str | None = None


MONO, STEREO = "44100 Hz, mono", "48000 Hz, stereo"

TAKES: Mapping[str, Take] = {
    "motion": Take(60, "480x270", sound=MONO),
    "vertical": Take(50, "270x480"),
    "unicode": Take(60, sound=MONO),
    "faststart": Take(60, sound=MONO),
    "mov": Take(60, sound=MONO),
    "old_mov": Take(60, sound=MONO),
    "prores": Take(9),
    "odd": Take(30, "320x180"),
    "anamorphic": Take(30, "320x180 [SAR 4:3 DAR 64:27]"),
    "ntsc": Take(60),
    "fast": Take(30),
    "uneven": Take(41),
    "long": Take(210, "1280x720", HD),
    "long_gop": Take(240),
    "one_frame": Take(1),
    "smallest": Take(15, "16x16"),
    "hevc": Take(30),
    "hdr": Take(15, colours=HD),
    "hlg": Take(15, colours=HD),
    "ten_bits": Take(15),
    "full_range": Take(15),
    "rgb": Take(15),
    "interlaced": Take(15, "720x576"),
    "vp9": Take(15),
    "av1": Take(15),
    "mpeg4_mp3": Take(30, sound=MONO),
    "two_sounds": Take(30, sound=MONO),
    "surround": Take(30, sound=STEREO),
    "fragmented": Take(60, sound=MONO),
    "rotated": Take(60, "270x480", sound=MONO),
    "flipped": Take(60, "480x270", sound=MONO),
    "edited": Take(45, "480x270", sound=MONO),
    "delayed": Take(60, "480x270", sound=MONO),
    "tiny_cut": Take(45, "64x64", sound=MONO),
    "dark_start": Take(75),
    "dark": Take(30),
    "mkv": Take(60, sound=MONO),
    "mkv_vorbis": Take(30, sound=MONO),
    "webm": Take(15, sound="48000 Hz, mono"),
    "webm_live": Take(15),
    "avi": Take(30, sound=MONO),
    "avi_h264": Take(30, sound=MONO),
    "avi_mjpeg": Take(15, colours="bt470bg/smpte170m/smpte170m"),
}


@pytest.mark.parametrize("name", [*GOOD, *COPIED, *OLD, *WRAPPED])
async def test_takes_are_whole_and_as_long_as_their_speed_says(cook: Cook, player: Player, name: str) -> None:
    kitchen, recipes, due = await cook(name), Candidates(5, SHA256, 2).first(), TAKES[name]

    files = await make(kitchen, *recipes)

    verdicts = await check(kitchen, recipes)
    for recipe, file, verdict in zip(recipes, files, verdicts, strict=True):
        picture, sound, says = player.picture(file), player.sound(file), player.says(file)
        seconds, frame = kitchen.clip.seconds / speed_of(recipe), kitchen.clip.seconds / due.frames
        assert picture.pieces == due.frames
        assert abs(picture.end - picture.starts[0] - seconds) <= 2 * frame
        assert isinstance(verdict, float)
        assert abs(verdict - seconds) <= 2 * frame
        assert f"yuv420p(tv, {due.colours}, progressive), {due.size}" in says
        assert re.findall(r"Audio: aac .*?, (\d+ Hz, \w+), fltp", says) == ([due.sound] if due.sound else [])
        assert not due.sound or abs(sound.end - seconds) <= 2 * frame + 0.03


OUTCOMES = {
    "sound_only": "no_video_stream",
    "too_small": "too_small",
    "too_large": "too_large",
    "apart": "too_long",
    "protected": "protected",
    "packets": "not_a_video",
    "vp8": "unsupported_codec",
    "wma": "unsupported_codec",
    "mkv_sound": "no_video_stream",
    "mkv_cut": "truncated",
    "mkv_hollow": "corrupt",
    "mkv_head": "truncated",
    "webm_cut": "truncated",
    "avi_cut": "truncated",
    "avi_hollow": "truncated",
    "avi_without_index": "truncated",
    "avi_unfinished": "truncated",
    "truncated": "truncated",
    "headless": "truncated",
    "no_moov": "corrupt",
    "bit_flipped": "corrupt",
    "flipped_late": "corrupt",
    "hollow": "corrupt",
    "hollow_long": "corrupt",
    "elsewhere": "external_data",
    "bare": "corrupt",
    "cut_fragment": "truncated",
    "empty": "not_a_video",
    "text": "not_a_video",
    "random": "not_a_video",
    "picture": "not_a_video",
    "playlist": "not_a_video",
}


@pytest.mark.parametrize("name", [*REFUSED, *BAD])
async def test_a_bad_file_ends_in_its_own_failure(cook: Cook, name: str) -> None:
    started = time.monotonic()
    with pytest.raises(BadInput) as refused:
        await cook(name)

    failure = refused.value.failure
    assert (failure.code, failure.final) == (OUTCOMES[name], True)
    assert failure.sentence.endswith(".")
    assert time.monotonic() - started < SECONDS


async def test_different_faults_have_different_sentences(cook: Cook) -> None:
    told = set()
    for name in ("bit_flipped", "truncated", "sound_only", "playlist", "no_moov"):
        with pytest.raises(BadInput) as refused:
            await cook(name)
        told.add(refused.value.failure.sentence)

    assert len(told) == 5
