"""However a source writes its colours, its takes show the same ones."""

import shutil
from pathlib import Path

import pytest

from clips import X264, Clips, Encoded
from playback import Player
from retake_worker.sandbox import Program
from worker.cooking import kitchen_in, make, recipe

pytestmark = pytest.mark.anyio

BLUE = [64, 128, 160]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-tag:v", "hvc1"]
HDR = (
    "zscale=tin=bt709:pin=bt709:t={}:p=bt2020:m=bt2020nc:npl=203,format=yuv420p10le,"
    "setparams=color_primaries=bt2020:color_trc={}:colorspace=bt2020nc"
)

WRITTEN = {
    "untagged": ["-vf", "scale=out_color_matrix=smpte170m:out_range=tv,format=yuv420p,setparams=colorspace=unknown",
                 *X264],
    "bt709": ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p", *X264],
    "ten bits": ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p10le", *X264[:-2]],
    "full range": ["-vf", "scale=out_color_matrix=bt709:out_range=pc,format=yuvj420p", *X264[:-2]],
    "rgb": ["-c:v", "libx264rgb", "-preset", "ultrafast"],
    "pq": ["-vf", HDR.format("smpte2084", "smpte2084"), *X265],
    "hlg": ["-vf", HDR.format("arib-std-b67", "arib-std-b67"), *X265],
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
async def test_a_colour_stays_the_same(
    clips: Clips, ffmpeg: Program, tmp_path: Path, player: Player, name: str
) -> None:
    paint = "color=c=0x4080A0:s=64x64:r=10:d=0.5,format=gbrp"
    shutil.move(clips.encode(f"blue {name}", Encoded(WRITTEN[name], source=paint)), tmp_path / "source")
    kitchen = await kitchen_in(tmp_path, ffmpeg)

    (file,) = await make(kitchen, recipe())

    assert player.colour(file) == pytest.approx(BLUE, abs=4)
