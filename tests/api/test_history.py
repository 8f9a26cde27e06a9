"""GET /api/jobs/{id}/history: what happened to a job, newest first and page by page."""

import httpx
import pytest

from api.acting import finish, submit
from api.conftest import Start, logged_in
from retake.store.connect import Database
from retake.store.workspaces import ensure_workspace

pytestmark = pytest.mark.anyio


async def test_the_history_of_a_job_is_read_page_by_page_from_its_end_to_its_beginning(
    client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "a.mp4", variations="1")
    await finish(database)
    await submit(client, "another.mp4")

    seen, address = [], f"{told['statusUrl']}/history?limit=2"
    while address:
        page = await client.get(address)
        seen += page.json()
        address = page.links["next"]["url"] if "next" in page.links else ""

    file = told["files"][0]["id"]
    assert [(one["kind"], one["data"]) for one in seen] == [
        ("job", {"status": "completed"}),
        ("video", {"fileId": file, "status": "completed"}),
        ("variation", {"fileId": file, "index": 1, "status": "completed"}),
        ("job", {"status": "processing"}),
        ("video", {"fileId": file, "status": "processing"}),
        ("job", {"status": "queued"}),
    ]
    assert [one["id"] for one in seen] == sorted((one["id"] for one in seen), reverse=True)


async def test_the_history_of_somebody_elses_job_is_not_there(
    client: httpx.AsyncClient, start: Start, database: Database
) -> None:
    told = await submit(client, "a.mp4")
    elsewhere = await start(workspace=await ensure_workspace(database, "elsewhere"))

    async with logged_in(elsewhere) as stranger:
        refused = await stranger.get(f"{told['statusUrl']}/history")

    assert refused.status_code == 404
