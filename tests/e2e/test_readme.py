"""The README's walk is what a newcomer types: each of its lines runs here, in one shell, against a real `make run`."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from running import running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

README = Path(__file__).parents[2] / "README.md"


def walk() -> str:
    """The shell blocks that stand under a walk mark, in order."""
    blocks = re.findall(r"<!-- walk[^>]*-->\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert blocks, "the README has no walk"
    return "\n".join(blocks)


async def shell(script: str, folder: Path, **settings: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script,
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env={**os.environ, **settings},
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_every_line_of_the_walk_works(tmp_path: Path) -> None:
    async with running(tmp_path / "data", RETAKE_WORKERS="2") as run:
        url, password = await run.until_up(), run.password()

        code, said = await shell(walk(), tmp_path, RETAKE_URL=url, RETAKE_PASSWORD=password)

    assert code == 0, said
    assert '"status":"ok"' in said
