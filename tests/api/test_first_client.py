"""A client written for the first version, with nothing but curl: it logs in, sends a form, polls, downloads."""

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from api.conftest import Server
from api.wire import PASSWORD, clip
from conftest import requires_tool
from footage import Footage

pytestmark = [pytest.mark.anyio, requires_tool("curl")]

STATUSES = {"queued", "processing", "completed", "failed", "cancelled"}


async def curl(*argv: str, folder: Path) -> bytes:
    process = await asyncio.create_subprocess_exec("curl", "-fsS", *argv, stdout=asyncio.subprocess.PIPE, cwd=folder)
    said, _ = await process.communicate()
    assert process.returncode == 0, argv
    return said


async def test_a_client_of_the_first_version_works_unchanged(server: Server, footage: Footage, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(clip())
    done = await footage.finished(["b.mp4"], takes=2, owner="default")

    async def asked(address: str, *argv: str) -> Any:
        return json.loads(await curl(f"{server.url}{address}", *argv, folder=tmp_path))

    login = await asked("/api/auth", "-H", "Content-Type: application/json", "-d", json.dumps({"password": PASSWORD}))
    auth = ("-H", f"Authorization: Bearer {login['token']}")
    accepted = await asked("/api/jobs", *auth, "-F", "videos=@a.mp4", "-F", "variations=3")
    polled = [await asked(f"/api/jobs/{job}", *auth) for job in (accepted["jobId"], done.id)]
    await curl(f"{server.url}/api/jobs/{done.id}/download", *auth, "-o", "takes.zip", folder=tmp_path)

    assert accepted["totalVariations"] == 3
    assert [job["status"] for job in polled] == ["queued", "completed"]
    for job in polled:
        assert {one["status"] for one in job["files"]} <= STATUSES
        assert all(0 <= one["progress"] <= 1 for one in job["files"])
    with zipfile.ZipFile(tmp_path / "takes.zip") as takes:
        assert {"b/b_var1.mp4", "b/b_var2.mp4"} <= set(takes.namelist())
