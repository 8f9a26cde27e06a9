"""Large uploads by form into a process of its own: memory, CPU, time. `make bench`, or this file alone with -s."""

import time
from pathlib import Path

import httpx
import pytest

from api.process import Upload, log_in, running
from api.wire import MIB

pytestmark = [pytest.mark.anyio, pytest.mark.bench]


SHAPES = {
    "one video of 500 MiB": (1, 500 * MIB, None),
    "ten videos, 2 GB, from a client with 200 Mbit/s": (10, 200 * MIB, 25 * MIB),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_form(environment: dict[str, str], tmp_path: Path, shape: str) -> None:
    count, size, rate = SHAPES[shape]
    folder = tmp_path / "api"
    folder.mkdir()
    upload = Upload(count, size)
    async with running(environment, folder) as api:
        headers = await log_in(api)
        peak, cpu, written, began = api.peak(), api.cpu(), api.written(), time.monotonic()

        async with httpx.AsyncClient(timeout=600) as client:
            answer = await client.post(
                f"{api.url}/api/jobs", content=upload.body(rate), headers={**headers, **upload.headers}
            )

        seconds, gigabytes = time.monotonic() - began, count * size / 1e9
        print(
            f"\n{shape}: {seconds:.1f} s, {(api.cpu() - cpu) / gigabytes:.2f} CPU s/GB, "
            f"memory {peak / MIB:.0f} MiB + {(api.peak() - peak) / MIB:.0f} MiB, "
            f"{(api.written() - written) / MIB:.1f} MiB written to disk, {len(list(folder.iterdir()))} files left"
        )
        assert answer.status_code == 202, answer.text
        assert [file["size"] for file in answer.json()["files"]] == [size] * count
        assert api.peak() - peak < 64 * MIB
        assert list(folder.iterdir()) == []
