"""POST /api/jobs/{id}/link: what the link opens, for how long, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from api.conftest import Server, Start, form, logged_in
from api.wire import clip
from retake.store.connect import Database
from retake.store.workspaces import ensure_workspace
from retake_api.app import Tools

pytestmark = pytest.mark.anyio

NOTHING_YET = (409, "no_takes_yet")


@pytest.fixture
async def job(client: httpx.AsyncClient) -> str:
    accepted = (await client.post("/api/jobs", **form(("a.mp4", clip())))).json()
    return str(accepted["jobId"])


@pytest.fixture
async def stranger(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as client:
        yield client


async def asked(client: httpx.AsyncClient, url: str) -> tuple[int, str]:
    answer = await client.get(url)
    return answer.status_code, answer.json()["code"]


async def test_a_link_opens_the_download_of_its_job_for_an_hour_without_a_token(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, server: Server, job: str
) -> None:
    made = await client.post(f"/api/jobs/{job}/link")

    url = made.json()["url"]
    left = datetime.fromisoformat(made.json()["expiresAt"]) - datetime.now(UTC)
    assert made.status_code == 201
    assert url.startswith(f"{server.url}/api/jobs/{job}/download?link=")
    assert timedelta(minutes=59) < left <= timedelta(hours=1, seconds=5)
    assert await asked(stranger, url) == NOTHING_YET
    assert (await stranger.head(url)).status_code == 409


async def test_a_link_works_on_every_replica(start: Start, client: httpx.AsyncClient, job: str) -> None:
    url = urlsplit((await client.post(f"/api/jobs/{job}/link")).json()["url"])

    other = await start()

    assert await asked(other.client, f"{url.path}?{url.query}") == NOTHING_YET


async def test_a_link_opens_no_other_job_and_nothing_but_bytes(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, job: str
) -> None:
    link = parse_qs(urlsplit((await client.post(f"/api/jobs/{job}/link")).json()["url"]).query)["link"][0]
    other = (await client.post("/api/jobs", **form(("b.mp4", clip())))).json()["jobId"]

    for address in (f"/api/jobs/{other}/download", f"/api/jobs/{uuid4()}/download", "/api/jobs/none/download"):
        assert await asked(stranger, f"{address}?link={link}") == (401, "invalid_link"), address
    for address in ("/api/jobs", f"/api/jobs/{job}"):
        assert await asked(stranger, f"{address}?link={link}") == (401, "no_token"), address
    assert (await stranger.post(f"/api/jobs/{job}/link?link={link}")).status_code == 401
    assert (await stranger.get("/api/jobs", headers={"Authorization": f"Bearer {link}"})).status_code == 401


async def test_a_link_is_over_when_it_said(stranger: httpx.AsyncClient, tools: Tools, job: str) -> None:
    token = tools.access.signer.sign("link", f"{tools.door.workspace}/{job}", datetime.now(UTC) - timedelta(seconds=5))

    assert await asked(stranger, f"/api/jobs/{job}/download?link={token}") == (401, "invalid_link")


async def test_no_altered_byte_of_a_link_opens_anything(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, job: str
) -> None:
    address, _, link = (await client.post(f"/api/jobs/{job}/link")).json()["url"].partition("?link=")

    altered = [link[:n] + ("A" if link[n] != "A" else "B") + link[n + 1 :] for n in range(len(link))]
    answers = await asyncio.gather(*(stranger.get(f"{address}?link={one}") for one in altered))

    assert {answer.status_code for answer in answers} == {401}


async def test_who_shows_a_token_is_judged_by_it_alone(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, job: str
) -> None:
    url = (await client.post(f"/api/jobs/{job}/link")).json()["url"]

    answer = await stranger.get(url, headers={"Authorization": "Bearer x"})

    assert answer.json()["code"] == "invalid_token"


async def test_nobody_makes_a_link_to_what_is_not_theirs(start: Start, database: Database, job: str) -> None:
    theirs = await start(workspace=await ensure_workspace(database, "theirs"))

    async with logged_in(theirs) as client:
        refused = [await client.post(f"/api/jobs/{one}/link") for one in (job, uuid4(), "none")]

    assert [answer.status_code for answer in refused] == [404] * 3
    assert len({answer.content for answer in refused}) == 1
