"""GET /api/events and GET /api/jobs/{id}/events: each event once and in order, from wherever a client stands."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.conftest import Server, Start, logged_in, rows
from api.listening import Told, listening, next_of
from api.process import log_in, running
from api.test_jobs import submit
from conftest import eventually
from retake.bus.messages import ProgressTick, VariationFrames
from retake.domain.states import Wish
from retake.store.connect import Database
from retake.store.jobs import wish
from retake.store.move import record_events
from retake.store.workspaces import ensure_workspace
from retake_api import event_streams
from retake_api.app import Tools

pytestmark = pytest.mark.anyio


async def written(database: Database, workspace: UUID, *kinds: str, job: UUID | None = None) -> list[int]:
    """Events of these kinds; returns all ids there are."""
    async with database.transaction() as connection:
        await record_events(connection, workspace, job or uuid4(), [(kind, {"n": kind}) for kind in kinds])
    return [row["id"] for row in await rows(database, "SELECT id FROM event ORDER BY id")]


async def test_whoever_names_no_event_starts_now_and_is_told_where_that_is(
    client: httpx.AsyncClient, database: Database, tools: Tools
) -> None:
    *_, last = await written(database, tools.door.workspace, "a", "b")

    async with listening(client) as told:
        assert await next_of(told) == Told("ready", last, {})
        await written(database, tools.door.workspace, "c")
        came = await next_of(told)

    assert (came.kind, came.data["n"]) == ("c", "c")


async def test_whoever_names_an_event_is_told_what_followed_it(
    client: httpx.AsyncClient, database: Database, tools: Tools
) -> None:
    first, second, third = await written(database, tools.door.workspace, "a", "b", "c")

    async with listening(client, last=first) as told:
        assert [(await next_of(told)).id for _ in range(2)] == [second, third]


async def test_a_parameter_names_the_event_for_those_who_cannot_set_a_header(
    client: httpx.AsyncClient, database: Database, tools: Tools
) -> None:
    first, _, _ = await written(database, tools.door.workspace, "a", "b", "c")

    async with listening(client, "/api/events?after=0") as told:
        assert (await next_of(told)).id == first


@pytest.mark.parametrize("named", ["nonsense", "-1", "999999999999", "9" * 40, "the deleted one"])
async def test_whoever_names_an_event_that_is_not_kept_starts_anew(
    client: httpx.AsyncClient, database: Database, tools: Tools, named: str
) -> None:
    first, last = await written(database, tools.door.workspace, "a", "b")
    await rows(database, "DELETE FROM event WHERE id = %s RETURNING id", first)

    async with listening(client, last=first if named == "the deleted one" else named) as told:
        assert await next_of(told) == Told("reset", last, {})


async def test_a_job_tells_its_own_events_and_only_to_its_people(
    server: Server, client: httpx.AsyncClient, start: Start, database: Database
) -> None:
    one, other = await submit(client, "a.mp4"), await submit(client, "b.mp4")
    elsewhere = await start(workspace=await ensure_workspace(database, "elsewhere"))

    async with listening(client, f"/api/jobs/{one['jobId']}/events") as told:
        await next_of(told, "ready")
        for job in (other, one):
            await wish(database, UUID(job["jobId"]), Wish.PAUSE)
        came = await next_of(told)
    async with logged_in(elsewhere) as stranger:
        refused = await stranger.get(f"/api/jobs/{one['jobId']}/events")

    assert (came.kind, came.data["jobId"], came.data["wish"]) == ("wish", one["jobId"], "pause")
    assert refused.status_code == 404


async def test_another_workspace_is_told_nothing(client: httpx.AsyncClient, database: Database, tools: Tools) -> None:
    elsewhere = await ensure_workspace(database, "elsewhere")

    async with listening(client) as told:
        await next_of(told, "ready")
        await written(database, elsewhere, "theirs")
        await written(database, tools.door.workspace, "ours")
        assert (await next_of(told)).kind == "ours"


async def test_events_that_are_committed_late_are_told_in_order_and_not_passed_over(
    server: Server, client: httpx.AsyncClient, database: Database, tools: Tools
) -> None:
    """One transaction has its ids and dallies; the other, begun later, must not overtake it in the same workspace."""
    elsewhere = await ensure_workspace(database, "elsewhere")

    async with listening(client) as told:
        await next_of(told, "ready")
        async with database.transaction() as slow:
            await record_events(slow, tools.door.workspace, uuid4(), [("slow", {})])
            quick = asyncio.create_task(written(database, tools.door.workspace, "quick"))
            await written(database, elsewhere, "a later id, committed earlier")
            server.live.wake()
            assert not (await asyncio.wait({quick}, timeout=0.3))[0]
        came = [await next_of(told) for _ in range(2)]
        await quick

    assert [one.kind for one in came] == ["slow", "quick"]
    assert came[0].id < came[1].id


async def test_progress_is_told_without_a_number_to_those_it_concerns(
    server: Server, client: httpx.AsyncClient, tools: Tools
) -> None:
    job = await submit(client, "a.mp4")
    tick = ProgressTick(
        workspace_id=str(tools.door.workspace), job_id=job["jobId"], video_id=job["files"][0]["id"], part_id="1",
        claim=1, variations=[VariationFrames(index=3, done=50, due=100)], percent=12.5,
    )  # fmt: skip

    async with listening(client, f"/api/jobs/{job['jobId']}/events") as told:
        await next_of(told, "ready")
        server.live.tick(tick)
        came = await next_of(told, "progress")

    assert came == Told(
        "progress", None,
        {
            "jobId": job["jobId"], "fileId": job["files"][0]["id"], "progress": 0.125,
            "variations": [{"index": 3, "frames": 50, "due": 100}],
        },
    )  # fmt: skip


async def test_a_silent_stream_beats(database: Database, tools: Tools) -> None:
    messages = tools.live.messages(tools.door.workspace, None, 0, heartbeat=0.05)

    assert [await anext(messages) for _ in range(2)] == [b":\n\n"] * 2

    await messages.aclose()


async def test_whoever_is_too_slow_reads_for_itself_and_misses_nothing(database: Database, tools: Tools) -> None:
    live = tools.live
    messages = live.messages(tools.door.workspace, None, 0, heartbeat=10)
    await written(database, tools.door.workspace, "first")
    came = [await anext(messages)]
    for _ in range(3):
        await written(database, tools.door.workspace, *["more"] * 90)
        live.wake()

    while sum(one.count(b"event: ") for one in came) < 271:
        came.append(await anext(messages))

    ids = [int(line[4:]) for line in b"".join(came).splitlines() if line.startswith(b"id: ")]
    assert ids == sorted(set(ids))
    assert ids == await written(database, tools.door.workspace)
    await messages.aclose()


async def test_a_stream_ends_when_its_time_is_over(server: Server, database: Database, tools: Tools) -> None:
    messages = tools.live.messages(tools.door.workspace, None, 0, heartbeat=10)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    await event_streams.EventStream(messages, life=0.1)({"type": "http", "method": "GET"}, receive, send)

    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_head_of_a_stream_is_answered_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.head("/api/events")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"].startswith("text/event-stream")


async def test_streams_end_cleanly_when_the_server_stops(server: Server, client: httpx.AsyncClient) -> None:
    async with listening(client) as told:
        await next_of(told, "ready")
        server.live.close()
        rest = [one async for one in told]

    assert rest == []


async def test_a_client_that_leaves_is_forgotten(server: Server, client: httpx.AsyncClient) -> None:
    async with listening(client) as told:
        await next_of(told, "ready")

    async def nobody_listens() -> bool:
        return not server.live._listeners and "/api/events" in server.ended

    assert await eventually(nobody_listens)


async def test_a_process_that_tells_many_refuses_more_of_them(client: httpx.AsyncClient, server: Server) -> None:
    server.live.most = 1

    async with listening(client) as told:
        await next_of(told, "ready")
        refused = await client.get("/api/events")

    assert (refused.status_code, refused.headers["Retry-After"], refused.json()["code"]) == (503, "30", "crowded")


async def followed(urls: list[str], token: str, until: int) -> list[int]:
    """The ids one client is told, going on to another replica whenever its own ends."""
    ids: list[int] = []
    last: int | None = 0
    for attempt in range(100):
        try:
            async with (
                httpx.AsyncClient(
                    base_url=urls[attempt % len(urls)], headers={"Authorization": f"Bearer {token}"}, timeout=20
                ) as client,
                listening(client, last=last) as told,
            ):
                async for one in told:
                    if one.id is not None:
                        ids.append(one.id)
                        last = one.id
                    if len(ids) >= until:
                        return ids
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError(f"only {len(ids)} events came")


async def test_fifty_clients_of_two_replicas_are_told_each_event_once_when_one_is_killed(
    environment: dict[str, str], database: Database, tmp_path: Path
) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    async with running(environment, folders[0]) as doomed, running(environment, folders[1]) as other:
        workspace = await ensure_workspace(database, "default")
        token = (await log_in(other))["Authorization"].removeprefix("Bearer ")
        many = 120
        clients = [
            asyncio.create_task(
                followed([doomed.url, other.url] if number % 2 else [other.url, doomed.url], token, many)
            )
            for number in range(50)
        ]

        for number in range(many // 4):
            await written(database, workspace, *"abcd")
            if number == many // 8:
                os.kill(doomed.pid, signal.SIGKILL)

        async with asyncio.timeout(40):
            told = await asyncio.gather(*clients)
    ids = await written(database, workspace)
    assert all(came == ids for came in told)
