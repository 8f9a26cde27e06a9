"""How good and how large takes are: the encoder line of `fast` against the first version's, on the same frames.

VMAF of each against the frames that it was given: mirrored and recoloured ones, without noise, which no line keeps.
`make bench-render`.
"""

import re
import subprocess
from pathlib import Path

import pytest
from bench.footage import CLIPS, ffmpeg, made
from bench.test_render_cost import REFERENCE_LINE

from retake.domain.limits import Limits
from retake_worker.clip import clip_of
from retake_worker.ffmpeg_command import SOURCE, file_of
from retake_worker.ffmpeg_process import find_ffmpeg
from retake_worker.inspect import probed
from retake_worker.render import Kitchen, render

pytestmark = [pytest.mark.bench, pytest.mark.anyio]

FILTERED = "hflip,eq=brightness=0.03:contrast=1.03:saturation=1.06,hue=h=4,format=yuv420p"
PLAIN = {"version": 1, "index": 1, "seed": 1, "effects": [], "output": {"profile": "fast"}}


@pytest.mark.parametrize("name", CLIPS)
async def test_vmaf_and_bytes_of_the_encoder_lines(name: str, footage: Path, tmp_path: Path) -> None:
    source = tmp_path / SOURCE
    ffmpeg(
        "-t", "4", "-i", str(made(name, footage)), "-an", "-vf", FILTERED,
        "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-f", "mp4", str(source),
    )  # fmt: skip
    program = find_ffmpeg(None)
    kitchen = Kitchen(program, clip_of(await probed(program, Limits(), tmp_path)), tmp_path, Limits())

    await render(kitchen, [PLAIN], lambda _frames: None)
    line = [rate(kitchen.clip.fps) if argument == "29.97" else argument for argument in REFERENCE_LINE]
    ffmpeg("-i", str(source), *line, str(tmp_path / "reference.mp4"))

    print(f"\n{name}, {kitchen.clip.frames} frames\n{'':12}{'VMAF':>8}{'kbit/s':>9}")
    found = {}
    for way, file in {"reference": tmp_path / "reference.mp4", "fast": tmp_path / file_of(1)}.items():
        found[way] = (vmaf(file, source), file.stat().st_size * 8 / kitchen.clip.seconds / 1000)
        print(f"{way:12}{found[way][0]:8.2f}{found[way][1]:9.0f}")
    assert found["fast"][0] > found["reference"][0] - 0.5
    assert found["fast"][1] <= found["reference"][1]


def rate(fps: float) -> str:
    """The source's, so that both lines have the same frames."""
    return f"{fps:.6f}"


def vmaf(file: Path, source: Path) -> float:
    """Frame by frame, number by number: times may differ in the last digit, and what is tagged would be converted to be
    like what is not."""
    alike = "settb=1/10,setpts=N,setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    paired = f"[0:v]{alike}[a];[1:v]{alike}[b];[a][b]libvmaf=n_threads=2"
    argv = [find_ffmpeg(None), "-nostdin", "-i", file, "-i", source, "-lavfi", paired, "-f", "null", "-"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stderr
    return float(re.findall(r"VMAF score: ([0-9.]+)", said)[-1])
