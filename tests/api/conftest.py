"""Real servers on real Postgres and S3; each test may start several, as replicas of one service."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.downloading import asking, big, downloads_url, footage, store  # noqa: F401  fixtures
from api.process import environment  # noqa: F401  a fixture
from api.serving import served
from api.wire import PASSWORD
from retake.blobs.bucket import Blobs
from retake.domain.timing import Timing
from retake.health import Health
from retake.settings import Api, Storage, Uploads, read
from retake.store.connect import Database
from retake_api.__main__ import open_access
from retake_api.app import Tools, create_app
from retake_api.live import Live

API = read(Api, {"RETAKE_PASSWORD": PASSWORD})


def form(*files: tuple[str, bytes], **fields: str) -> dict[str, Any]:
    """Arguments of httpx for a form of videos and fields."""
    return {"files": [("videos", file) for file in files], "data": fields}


@dataclass
class Server:
    url: str
    client: httpx.AsyncClient
    """Knows no token."""
    woken: list[None]
    ended: list[str]
    """The path of every request that is over, whatever became of it."""
    live: Live

    async def log_in(self, password: str = PASSWORD) -> str:
        answer = await self.client.post("/api/auth", json={"password": password})
        assert answer.status_code == 200, answer.text
        self.client.cookies.clear()
        token: str = answer.json()["token"]
        return token


Start = Callable[..., Any]


@pytest.fixture
async def tools(database: Database, blobs: Blobs) -> Tools:
    async def nobody() -> None:
        return None

    access, door = await open_access(API, database)
    return Tools(
        database=database,
        blobs=blobs,
        health=Health({"postgres": database.check, "storage": blobs.check}, {"postgres"}),
        access=access,
        door=door,
        web=API,
        limits=read(Uploads, {}),
        timing=Timing(),
        storage=read(Storage, {}),
        wake=nobody,
        live=Live(database, Timing()),
        webhooks=True,
    )


@pytest.fixture
async def start(tools: Tools) -> AsyncIterator[Start]:
    """One more replica, with other tools: `await start(limits={...}, storage={...}, web={...}, workspace=...)`."""
    async with AsyncExitStack() as servers:

        async def begin(workspace: UUID | None = None, **changed: Any) -> Server:
            for name in {"limits", "storage", "web"} & set(changed):
                changed[name] = replace(getattr(tools, name), **changed[name])
            if "web" in changed:
                changed["access"], changed["door"] = await open_access(changed["web"], tools.database)
            if "database" in changed:
                changed["access"] = replace(tools.access, database=changed["database"])
            if workspace is not None:
                changed["door"] = replace(tools.door, workspace=workspace)
            return await servers.enter_async_context(serving(replace(tools, **changed)))

        yield begin


@asynccontextmanager
async def serving(tools: Tools) -> AsyncIterator[Server]:
    woken: list[None] = []
    ended: list[str] = []

    live = Live(tools.database, Timing())

    async def wake() -> None:
        woken.append(None)
        live.wake()

    app = create_app(replace(tools, wake=wake, live=live))

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        finally:
            ended.append(scope.get("path", ""))

    async with served(watched, tools.limits.head) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        yield Server(url, client, woken, ended, live)
        live.close()


@pytest.fixture
async def server(start: Start) -> Server:
    found: Server = await start()
    return found


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Logged in."""
    async with logged_in(server) as client:
        yield client


@asynccontextmanager
async def logged_in(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    token = await server.log_in()
    async with httpx.AsyncClient(
        base_url=server.url, timeout=20, headers={"Authorization": f"Bearer {token}"}
    ) as client:
        yield client


async def rows(database: Database, query: str, *values: Any) -> list[dict[str, Any]]:
    async with database.transaction() as connection:
        return await (await connection.execute(query, values)).fetchall()


async def nothing_is_left(database: Database, blobs: Blobs) -> bool:
    """No job, no source that counts, no byte reserved or charged, no chunk and no object."""
    assert await rows(database, "SELECT FROM job") == []
    assert await rows(database, "SELECT FROM source WHERE state <> 'gone'") == []
    assert await rows(database, "SELECT FROM reservation") == []
    assert await rows(database, "SELECT FROM chunk") == []
    assert await rows(database, "SELECT FROM storage WHERE bytes <> 0") == []
    assert [blob.key async for blob in blobs.listing()] == []
    return True
