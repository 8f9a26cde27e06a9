"""A large upload passes through the process without staying in its memory or touching its disk."""

from pathlib import Path

import httpx
import pytest

from api.process import Upload, log_in, running
from api.wire import MIB

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


async def test_200_mb_add_less_than_64_mb_of_memory_and_no_file(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "api"
    folder.mkdir()
    upload = Upload(1, 200 * MIB)
    async with running(environment, folder) as api:
        headers = await log_in(api)
        before, written = api.peak(), api.written()

        async with httpx.AsyncClient(timeout=120) as client:
            answer = await client.post(
                f"{api.url}/api/jobs", content=upload.body(), headers={**headers, **upload.headers}
            )
        grown, written = api.peak() - before, api.written() - written

        assert answer.status_code == 202, answer.text
        assert answer.json()["files"][0]["size"] == 200 * MIB
        assert grown < 64 * MIB
        assert written < MIB
        assert list(folder.iterdir()) == []
