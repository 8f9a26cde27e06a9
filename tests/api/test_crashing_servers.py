"""An object store, or a Postgres, that is killed under an upload and comes back: what was acknowledged is there, and
nothing else."""

import os
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx
import pytest

from api.conftest import Start, logged_in
from api.sweeping import a_day_later, only_what_jobs_have_is_left
from api.tus_client import begun, kept, offset, patch, used
from api.wire import MIB, clip
from conftest import eventually
from retake.blobs.bucket import Blobs, open_blobs
from retake.settings import Bucket, Postgres
from retake.store.connect import Database, open_database
from retake.store.migrate import migrate
from retake.store.workspaces import ensure_workspace
from retake_api.app import Tools
from retake_local.child import Child
from retake_local.servers import free_port, postgres, prepare_postgres, s3

pytestmark = pytest.mark.anyio

BLOCK = MIB // 8
REQUEST = 3 * MIB
SMALL = {"buffer_mib": 1}


async def uploaded_in_spite_of_kills(client: httpx.AsyncClient, child: Child, kills: int) -> tuple[str, bytes]:
    """In each second request the server dies. Where it was uploaded, and what."""
    data, chance, at = clip(kills * (MIB + REQUEST)), random.Random(kills), 0
    where = await begun(client, len(data))

    async def killing(at: int) -> AsyncIterator[bytes]:
        last = chance.randrange(REQUEST)
        for place in range(0, REQUEST, BLOCK):
            if place <= last < place + BLOCK:
                assert child.pid is not None
                os.killpg(child.pid, signal.SIGKILL)
            yield data[at + place : min(at + REQUEST, len(data))][:BLOCK]

    for kill in range(1, kills + 1):
        acknowledged = int((await patch(client, where, at, data[at : at + MIB])).headers["Upload-Offset"])
        answer = await patch(client, where, acknowledged, killing(acknowledged))
        assert answer.status_code in (204, 503), answer.text
        await eventually(partial(back, child, kill), within=30)
        at = await offset(client, where)
        assert at >= acknowledged
    if at < len(data):
        await patch(client, where, at, data[at:])
    await used(client, where)
    return where, data


async def back(child: Child, times: int) -> bool:
    return child.up and child.restarts == times


async def all_is_there_and_nothing_else(database: Database, blobs: Blobs, where: str, data: bytes) -> None:
    assert await kept(database, blobs, where) == data
    await a_day_later(database, blobs)
    await only_what_jobs_have_is_left(database, blobs)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.faults)])
async def test_an_upload_goes_on_when_the_store_comes_back(
    start: Start, database: Database, tmp_path: Path, kills: int
) -> None:
    program, url = s3(tmp_path, "key", "secret", free_port())
    child = Child(replace(program, rest=0.2), tmp_path, lambda _: None)
    await child.start()
    bucket = Bucket(endpoint=url, access_key="key", secret_key="secret", name="own", region="here", prefix="")
    try:
        async with open_blobs(bucket) as blobs, logged_in(await start(blobs=blobs, limits=SMALL)) as client:
            where, data = await uploaded_in_spite_of_kills(client, child, kills)

            await all_is_there_and_nothing_else(database, blobs, where, data)
    finally:
        await child.stop()


@pytest.mark.faults
async def test_an_upload_goes_on_when_postgres_comes_back(
    start: Start, tools: Tools, blobs: Blobs, folder: Path
) -> None:
    program, url = postgres(folder, "secret", free_port(), await prepare_postgres(folder, "secret"), durable=True)
    child = Child(replace(program, rest=0.2), folder, lambda _: None)
    await child.start()
    try:
        await migrate(url)
        async with open_database(Postgres(url=url, pool=10), name="own") as own:
            door = replace(tools.door, database=own, workspace=await ensure_workspace(own, "default"))
            async with logged_in(await start(database=own, door=door, limits=SMALL)) as client:
                where, data = await uploaded_in_spite_of_kills(client, child, kills=20)

                await all_is_there_and_nothing_else(own, blobs, where, data)
    finally:
        await child.stop()
