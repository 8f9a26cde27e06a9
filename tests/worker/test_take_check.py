"""What may go wrong with a run or with its files, and that it is found out."""

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clips import X264, Clips, Encoded, flipped, hollow
from retake.domain.candidates import Candidates
from retake.domain.errors import CORRUPT, ENCODER, OUT_OF_MEMORY, TIMEOUT, BadInput
from retake_worker.ffmpeg_process import FFmpegFailed, Stalled
from retake_worker.render import BadTake, check, examine, failure_of, measure, render
from retake_worker.sandbox import Program
from worker.cooking import Cook, kitchen_in, make, recipe
from worker.hostile import scripted

pytestmark = pytest.mark.anyio

SHA256 = "ab" * 32


async def test_a_run_that_is_killed_makes_no_take(clips: Clips, ffmpeg: Program, tmp_path: Path) -> None:
    shutil.move(clips.encode("large", Encoded(X264, size="1280x720", seconds=3)), tmp_path / "source")
    kitchen = await kitchen_in(tmp_path, ffmpeg)

    def killed(_frames: int) -> None:
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            if b"file:source" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)

    with pytest.raises(FFmpegFailed) as failed:
        await render(kitchen, Candidates(5, SHA256, 5).first(), killed)

    assert failure_of(failed.value) is OUT_OF_MEMORY
    assert not [one for one in await check(kitchen, Candidates(5, SHA256, 5).first()) if isinstance(one, float)]


async def test_a_run_that_does_not_move_is_a_timeout(cook: Cook, tmp_path: Path) -> None:
    hanging = scripted(tmp_path / "hanging", "while True: time.sleep(9)")
    kitchen = replace(await cook("motion"), ffmpeg=hanging, stall=0.5)

    with pytest.raises(Stalled) as stalled:
        await render(kitchen, [recipe()], lambda _frames: None)

    assert failure_of(stalled.value) is TIMEOUT


async def test_a_full_disk_is_nobodys_fault(cook: Cook, tmp_path: Path) -> None:
    full = scripted(tmp_path / "full", "sys.exit('1.mp4: No space left on device')")

    with pytest.raises(OSError, match="No space left"):
        await render(replace(await cook("motion"), ffmpeg=full), [recipe()], lambda _frames: None)


async def test_a_recipe_that_ffmpeg_does_not_take_is_an_encoder_failure(cook: Cook) -> None:
    with pytest.raises(FFmpegFailed) as failed:
        await render(await cook("motion"), [recipe(zoom={"factor": 0.5, "x": 0, "y": 0})], lambda _frames: None)

    assert failure_of(failed.value) is ENCODER


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"frames": 70}, "70 are due"),
        ({"seconds": 3.0}, "3.000 are due"),
        ({"width": 640}, "not 640 x 270"),
        ({"sound": None}, "1 sounds"),
        ({"sound_lasts": 1.7}, "sound lasts 2.0"),
        ({"sound_lasts": 2.3}, "2.300 are due"),
    ],
)
async def test_a_take_that_is_not_as_it_should_be_is_found_out(
    cook: Cook, change: dict[str, Any], complaint: str
) -> None:
    kitchen = await cook("motion")
    await make(kitchen, recipe())

    (verdict,) = await check(replace(kitchen, clip=replace(kitchen.clip, **change)), [recipe()])

    assert isinstance(verdict, BadTake)
    assert complaint in str(verdict)


async def test_a_take_whose_end_is_missing_is_found_out(cook: Cook) -> None:
    kitchen = await cook("motion")
    (file,) = await make(kitchen, recipe())
    file.write_bytes(file.read_bytes()[:-1000])

    (verdict,) = await check(kitchen, [recipe()])

    assert isinstance(verdict, BadTake)
    assert "truncated" in str(verdict)


async def test_a_take_whose_pictures_are_garbage_is_found_out_among_others(cook: Cook) -> None:
    kitchen = await cook("motion")
    _, file, _ = await make(kitchen, recipe(1), recipe(2), recipe(3))
    data = bytearray(file.read_bytes())
    start = data.index(b"mdat") + 1000
    data[start : start + 4000] = bytes(4000)
    file.write_bytes(data)

    verdicts = await check(kitchen, [recipe(1), recipe(2), recipe(3)])

    assert [type(verdict) for verdict in verdicts] == [float, FFmpegFailed, float]


async def test_a_take_that_never_came_is_found_out(cook: Cook) -> None:
    (verdict,) = await check(await cook("motion"), [recipe()])

    assert isinstance(verdict, BadTake)
    assert "No such file" in str(verdict)


@pytest.mark.parametrize("name", ["motion", "fast", "uneven", "edited"])
async def test_a_sound_source_is_not_blamed(cook: Cook, name: str) -> None:
    await examine(await cook(name))


@pytest.mark.parametrize("change", [flipped, hollow])
async def test_a_source_that_is_damaged_where_inspect_did_not_look_is_found_out(
    cook: Cook, change: Callable[[bytes], bytes]
) -> None:
    kitchen = await cook("long")
    source = kitchen.folder / "source"
    source.write_bytes(change(source.read_bytes()))

    with pytest.raises(BadInput) as damaged:
        await examine(kitchen)

    assert damaged.value.failure is CORRUPT


async def test_frames_that_are_made_up_are_heard_of_while_takes_are_made(cook: Cook) -> None:
    """All of them are there, so that nothing is wrong with the takes but what they show."""
    kitchen = await cook("motion")
    source = kitchen.folder / "source"
    source.write_bytes(flipped(source.read_bytes()))

    with pytest.raises(BadInput) as damaged:
        await render(kitchen, [recipe()], lambda _frames: None)

    assert damaged.value.failure is CORRUPT


async def test_takes_without_a_frame_are_not_compared(cook: Cook) -> None:
    kitchen = await cook("motion")
    await make(kitchen, recipe())
    (kitchen.folder / "1.yuv").write_bytes(b"")

    assert measure(kitchen, [recipe(1)]).near is None
    assert measure(kitchen, [recipe(2)]).distances == {}
