"""GET /api/workers: who does what, how fast, since when; of others' work only that it is."""

import httpx
import pytest

from api.acting import claim_next, inspect, submit
from api.conftest import Start, logged_in
from retake.store.connect import Database
from retake.store.fleet import gone, seen
from retake.store.workspaces import ensure_workspace

pytestmark = pytest.mark.anyio


async def test_a_worker_tells_what_it_works_on_and_what_keeps_it_in(
    client: httpx.AsyncClient, start: Start, database: Database
) -> None:
    await seen(database, "worker", version="1.2", recipe_version=99, slots=2, sandbox=["seccomp"], engine="abc")
    await seen(database, "old", version="1.1", recipe_version=99, slots=1)
    await gone(database, "old")
    job = await submit(client, "a.mp4", variations="2")
    await inspect(database, takes=2)
    await claim_next(database)
    stranger = await start(workspace=await ensure_workspace(database, "elsewhere"))

    active, old = (await client.get("/api/workers")).json()
    async with logged_in(stranger) as other:
        masked, _ = (await other.get("/api/workers")).json()

    working = {"kind": "render", "takes": 2, "jobId": job["jobId"], "fileId": job["files"][0]["id"]}
    facts = ("name", "version", "status", "slots", "busy", "sandbox", "engine", "speed")
    assert {key: active[key] for key in facts} == {
        "name": "worker", "version": "1.2", "status": "active", "slots": 2, "busy": 1, "sandbox": ["seccomp"],
        "engine": "abc", "speed": None,
    }  # fmt: skip
    assert active["working"] == [working]
    assert (old["name"], old["status"], old["working"]) == ("old", "gone", [])
    assert masked["working"] == [working | {"jobId": None, "fileId": None}]
