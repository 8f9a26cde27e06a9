"""A picture of takes to be looked at: `python bench/contact_sheet.py [a video] [options as JSON]` > build/takes.png.

Twelve takes and the source, at the same moment of each; without a video, of a clip that is made for it.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).parents[1]
sys.path.insert(0, str(TOP / "tests"))

from retake.domain.candidates import Candidates  # noqa: E402  after the path is set
from retake.domain.limits import Limits  # noqa: E402
from retake.domain.options import read_render_options  # noqa: E402
from retake_worker.clip import clip_of  # noqa: E402
from retake_worker.ffmpeg_command import SOURCE, file_of  # noqa: E402
from retake_worker.ffmpeg_process import find_ffmpeg  # noqa: E402
from retake_worker.inspect import chosen_of, probed  # noqa: E402
from retake_worker.render import Kitchen, measure, render  # noqa: E402
from scenes import Film, film  # noqa: E402

TAKES, ACROSS, WIDTH = 12, 4, 400


async def main(video: Path | None, options: str, sheet: Path) -> None:
    ffmpeg = find_ffmpeg(None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if video is None:
            film(ffmpeg, folder / SOURCE, Film("face", 960, 540, seconds=2), "-f", "mp4")
        else:
            shutil.copyfile(video, folder / SOURCE)
        probe = await probed(ffmpeg, Limits(), folder)
        kitchen = Kitchen(ffmpeg, clip_of(probe), folder, Limits())
        recipes, told = chosen_of(
            Candidates(1, "ab" * 32, TAKES, read_render_options(json.loads(options))), probe, folder
        )
        await render(kitchen, recipes, lambda _frames: None)
        near = measure(kitchen, recipes).near
        files = [SOURCE, *(file_of(recipe["index"]) for recipe in recipes)]
        middle = kitchen.clip.frames // 2
        chains = [
            f"[{n}:v]select=eq(n\\,{middle}),scale={WIDTH}:-2,settb=1,setpts=0,pad=iw+4:ih+4[p{n}]"
            for n in range(len(files))
        ]
        tile = "".join(f"[p{n}]" for n in range(len(files))) + f"concat=n={len(files)},tile={ACROSS}x4"
        sheet.parent.mkdir(exist_ok=True)
        subprocess.run(  # noqa: ASYNC221  nothing else is going on
            [ffmpeg, "-v", "error", "-y", *(word for file in files for word in ("-i", file)),
             "-filter_complex", ";".join([*chains, tile]), "-frames:v", "1", str(sheet)],
            cwd=folder, check=True,
        )  # fmt: skip
    print(f"{sheet}: the source, then {TAKES} takes; near pairs {told['pairs']} planned, {near} measured")
    for recipe in recipes:
        print(recipe["index"], {step["name"]: step["params"] for step in recipe["effects"]})


if __name__ == "__main__":
    asked = sys.argv[1:]
    given = next((Path(word) for word in asked if not word.startswith("{")), None)
    wish = next((word for word in asked if word.startswith("{")), "{}")
    asyncio.run(main(given, wish, TOP / "build" / "takes.png"))
