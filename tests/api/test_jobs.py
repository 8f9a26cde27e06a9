"""GET /api/jobs, one job, one file: what is told while work goes on and when it has ended."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import TypeAdapter

from api import wire
from api.acting import TIMING, claim_next, fail, finish, inspect, rendered, submit
from api.conftest import Server, Start, logged_in, rows
from api.wire import clip
from retake.domain.errors import CORRUPT, ENCODER
from retake.domain.states import Wish
from retake.store import parts
from retake.store.connect import Database
from retake.store.heartbeat import heartbeat
from retake.store.jobs import wish
from retake.store.workspaces import ensure_workspace
from retake_api.schemas import Files, FileWithRecipes, Job, Summary

pytestmark = pytest.mark.anyio


async def test_a_job_that_was_just_accepted(client: httpx.AsyncClient) -> None:
    told = await submit(client, "a.mp4", "b.mp4", variations="2", options='{"seed": 9, "priority": "low"}')

    job = (await client.get(told["statusUrl"])).json()

    created = datetime.fromisoformat(job.pop("createdAt"))
    assert abs((datetime.now(UTC) - created).total_seconds()) < 20
    files = job.pop("files")
    assert job == {
        "jobId": told["jobId"], "name": None, "kind": "variations", "status": "queued", "wish": "run",
        "totalVideos": 2, "failedVideos": 0, "variationsPerVideo": 2, "totalVariations": 4, "completedVariations": 0,
        "failedVariations": 0, "progress": 0.0, "seed": 9, "priority": "low", "startedAt": None, "endedAt": None,
        "expiresAt": None, "expiredBecause": None, "kept": False, "error": None, "errorCode": None, "distinct": None,
        "etaSeconds": None, "queuePosition": 1,
    }  # fmt: skip
    assert [file["id"] for file in files] == [file["id"] for file in told["files"]]
    assert files[0] == {
        "id": told["files"][0]["id"], "name": "a.mp4", "size": 5000, "status": "queued", "progress": 0.0,
        "sha256": None, "sourceKept": True, "retriable": False, "duration": None, "width": None, "height": None,
        "fps": None, "distinct": None, "thumbnailUrl": None, "completedVariations": 0, "failedVariations": 0,
        "error": None, "errorCode": None, "variations": [],
    }  # fmt: skip


async def test_progress_moves_with_frames_and_takes_and_does_not_go_back(
    client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "a.mp4", variations="2")
    seen = []

    async def look() -> dict[str, Any]:
        job: dict[str, Any] = (await client.get(told["statusUrl"])).json()
        [listed] = (await client.get("/api/jobs")).json()
        assert listed["progress"] == job["progress"] == job["files"][0]["progress"]
        seen.append(job["progress"])
        return job

    await look()
    await inspect(database, takes=2)
    assert (await look())["status"] == "processing"
    claimed = await claim_next(database)
    await heartbeat(database, claimed, {1: 50, 2: 30}, TIMING)
    job = await look()
    takes = job["files"][0]["variations"]
    assert [(take["status"], take["progress"]) for take in takes] == [("processing", 0.5), ("processing", 0.3)]
    await heartbeat(database, claimed, {1: 100, 2: 90}, TIMING)
    await look()
    await parts.finish_variation(database, claimed, rendered(claimed, 1), TIMING)
    await parts.release(database, claimed, TIMING, blocked=False)
    takes = (await look())["files"][0]["variations"]
    assert [(take["status"], take["progress"]) for take in takes] == [("completed", 1.0), ("queued", 0.0)]
    claimed = await claim_next(database)
    await heartbeat(database, claimed, {2: 10}, TIMING)
    await look()
    await parts.finish_variation(database, claimed, rendered(claimed, 2), TIMING)
    await parts.finish_part(database, claimed, TIMING)
    job = await look()

    assert seen == [0.0, 0.0, 0.4, 0.95, 0.95, 0.95, 1.0]
    assert job["status"] == "completed"
    assert job["completedVariations"] == 2
    assert job["expiresAt"] > job["endedAt"] >= job["startedAt"] >= job["createdAt"]


async def test_a_finished_video_tells_what_it_is_and_what_came_of_it(
    client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "a.mp4", variations="2")
    await inspect(database, takes=2)
    claimed = await claim_next(database)
    await parts.finish_variation(database, claimed, rendered(claimed, 1), TIMING)
    await parts.fail_variation(database, claimed, 2, ENCODER, TIMING)
    await parts.finish_part(database, claimed, TIMING)

    job = (await client.get(told["statusUrl"])).json()

    [file] = job["files"]
    takes = file.pop("variations")
    address = f"{told['statusUrl']}/files/{file['id']}/variations"
    assert (job["status"], job["completedVariations"], job["failedVariations"]) == ("completed", 1, 1)
    assert {key: file[key] for key in ("sha256", "duration", "width", "height", "fps")} == {
        "sha256": "ab" * 32, "duration": 4.0, "width": 1280, "height": 720, "fps": 29.97,
    }  # fmt: skip
    assert takes == [
        {"index": 1, "status": "completed", "progress": 1.0, "size": 900, "duration": 3.9,
         "distance": {"near": False}, "url": f"{address}/1", "thumbnailUrl": None, "error": None, "errorCode": None},
        {"index": 2, "status": "failed", "progress": 0.0, "size": None, "duration": None, "distance": None,
         "url": None, "thumbnailUrl": None, "error": ENCODER.sentence, "errorCode": "encoder"},
    ]  # fmt: skip


async def test_jobs_are_told_in_the_shapes_that_describe_them(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "bad.mp4", "done.mp4", "under way.mp4", "waiting.mp4", variations="2")
    await fail(database)
    await finish(database, takes=2)
    await inspect(database, takes=2)
    await heartbeat(database, await claim_next(database), {1: 50}, TIMING)
    job = told["statusUrl"]

    shapes = {"/api/jobs": list[Summary], job: Job, f"{job}/files": Files}
    shapes |= {f"{job}/files/{file['id']}": FileWithRecipes for file in told["files"]}
    answers = {address: (await client.get(address)).content for address in shapes}

    for address, shape in shapes.items():
        described = TypeAdapter(shape)
        again = described.dump_json(described.validate_json(answers[address]), by_alias=True)
        assert json.loads(again) == json.loads(answers[address])


async def test_finished_takes_and_their_pictures_have_addresses_until_they_expire(
    client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "a.mp4", variations="1")
    await finish(database)
    address = f"{told['statusUrl']}/files/{told['files'][0]['id']}"

    [file] = (await client.get(told["statusUrl"])).json()["files"]
    [listed] = (await client.get("/api/jobs")).json()
    await wish(database, UUID(told["jobId"]), Wish.EXPIRE, "space")
    [expired] = (await client.get(told["statusUrl"])).json()["files"]

    assert file["thumbnailUrl"] == listed["thumbnailUrl"] == f"{address}/thumbnail"
    [take] = file["variations"]
    assert (take["url"], take["thumbnailUrl"]) == (f"{address}/variations/1", f"{address}/variations/1/thumbnail")
    assert expired["thumbnailUrl"] is None
    assert [(take["status"], take["url"], take["thumbnailUrl"]) for take in expired["variations"]] == [
        ("completed", None, None)
    ]


async def test_what_did_not_change_is_not_sent_again(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "a.mp4", variations="1")
    first = await client.get(told["statusUrl"])
    known = {"If-None-Match": f'"other", {first.headers["ETag"]}'}

    same = await client.get(told["statusUrl"], headers=known)
    await inspect(database, takes=1)
    changed = await client.get(told["statusUrl"], headers=known)

    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


async def test_recipes_are_in_the_view_of_one_file_only(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "a.mp4", variations="2")
    await inspect(database, takes=2)
    video = told["files"][0]["id"]

    file = (await client.get(f"{told['statusUrl']}/files/{video}")).json()
    job = (await client.get(told["statusUrl"])).json()

    assert [take["recipe"] for take in file["variations"]] == [{"seed": 1}, {"seed": 2}]
    assert (file["jobId"], file["id"], file["name"]) == (told["jobId"], video, "a.mp4")
    assert "recipe" not in job["files"][0]["variations"][0]


async def test_one_bad_video_has_its_sentence_and_the_others_go_on(
    client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "bad.mp4", "good.mp4", variations="3")
    await fail(database)

    job = (await client.get(told["statusUrl"])).json()
    [listed] = (await client.get("/api/jobs")).json()

    assert job["status"] == "processing"
    assert (job["failedVideos"], job["failedVariations"], job["progress"]) == (1, 3, 0.5)
    assert listed["failedVariations"] == 3
    assert [file["status"] for file in job["files"]] == ["failed", "queued"]
    assert (job["files"][0]["errorCode"], job["files"][0]["error"]) == ("corrupt", CORRUPT.sentence)
    assert job["error"] is None


async def test_a_job_that_failed_says_why(client: httpx.AsyncClient, database: Database) -> None:
    one, two = await submit(client, "a.mp4"), await submit(client, "b.mp4", "c.mp4")
    for _ in range(3):
        await fail(database)

    of_one = (await client.get(one["statusUrl"])).json()
    of_two = (await client.get(two["statusUrl"])).json()

    assert of_one["status"] == of_two["status"] == "failed"
    assert of_one["error"] == CORRUPT.sentence
    assert of_two["error"] == "None of the 2 videos could be used; each says why."


async def test_a_client_that_is_gone_when_its_job_is_accepted_changes_nothing(
    server: Server, client: httpx.AsyncClient
) -> None:
    body = wire.whole(wire.part("videos", clip(), "a.mp4"))
    token = await server.log_in()
    async with wire.connected(server.url) as (reader, writer):
        writer.write(wire.head(token, len(body)) + body)
        await reader.readuntil(b"202")

    [listed] = (await client.get("/api/jobs")).json()
    assert listed["status"] == "queued"


async def test_a_deleted_job_is_gone_at_once_also_while_it_is_worked_on(
    client: httpx.AsyncClient, database: Database
) -> None:
    waiting, working = await submit(client, "waiting.mp4"), await submit(client, "working.mp4", variations="1")
    claimed = await claim_next(database, UUID(working["files"][0]["id"]))

    answers = [await client.delete(told["statusUrl"]) for told in (waiting, working)]

    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [
        (202, "expired"), (202, "cancelling"),
    ]  # fmt: skip
    assert (await client.get("/api/jobs")).json() == []
    address, file = working["statusUrl"], working["files"][0]["id"]
    gone = [await client.get(f"{address}{rest}") for rest in ("", "/files", f"/files/{file}", "/download")]
    gone += [await client.delete(address), await client.delete(f"/api/jobs/{file}")]
    assert {answer.status_code for answer in gone} == {404}
    assert len({answer.content for answer in gone}) == 1
    await parts.release(database, claimed, TIMING, blocked=False)
    [job] = await rows(database, "SELECT state, expired_because FROM job WHERE id = %s", working["jobId"])
    assert job == {"state": "expired", "expired_because": "deleted"}


async def test_a_job_that_expired_is_deleted_from_the_list(client: httpx.AsyncClient, database: Database) -> None:
    told = await submit(client, "a.mp4")
    await wish(database, UUID(told["jobId"]), Wish.EXPIRE, "age")

    answer = await client.delete(told["statusUrl"])

    assert answer.status_code == 202
    assert (await client.get("/api/jobs")).json() == []


async def test_a_job_of_somebody_else_is_not_deleted(
    start: Start, client: httpx.AsyncClient, database: Database
) -> None:
    told = await submit(client, "a.mp4")
    strangers = await start(workspace=await ensure_workspace(database, "strangers"))

    async with logged_in(strangers) as stranger:
        answer = await stranger.delete(told["statusUrl"])

    assert answer.status_code == 404
    assert (await client.get(told["statusUrl"])).status_code == 200
