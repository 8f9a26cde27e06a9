"""Takes made outside of any job, in as few words as possible."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from retake.domain.limits import Limits
from retake.domain.recipe import params_of
from retake_worker.clip import clip_of
from retake_worker.ffmpeg_command import file_of
from retake_worker.inspect import probed
from retake_worker.render import Kitchen, render

Cook = Callable[[str], Awaitable[Kitchen]]


def recipe(index: int = 1, **effects: dict[str, float]) -> dict[str, Any]:
    steps = [{"name": name, "params": params} for name, params in effects.items()]
    return {"version": 1, "index": index, "seed": 1, "effects": steps, "output": {"profile": "fast"}}


async def kitchen_in(folder: Path, ffmpeg: Path) -> Kitchen:
    """Around the source in this folder."""
    return Kitchen(ffmpeg, clip_of(await probed(ffmpeg, Limits(), folder)), folder, Limits())


async def make(kitchen: Kitchen, *recipes: Any) -> list[Path]:
    told: list[int] = []
    await render(kitchen, recipes, told.append)
    if params_of(recipes[0], "trim") is None:
        assert told[-1] == kitchen.clip.frames
    return [kitchen.folder / file_of(one["index"]) for one in recipes]
