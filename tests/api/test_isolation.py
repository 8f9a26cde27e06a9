"""A workspace sees nothing of another and moves nothing of it, by any operation of the OpenAPI document.

What is somebody else's answers as what is unknown and what is malformed: with the same bytes. An operation that is new
is asked here as soon as it is described. One whose path has a parameter that is new must say below what a real one is.
"""

from collections.abc import Mapping
from uuid import uuid4

import httpx
import pytest

from api.conftest import Start, logged_in
from api.document import Operation, has_ids, operations
from api.tus_client import create
from footage import Footage
from retake.store.connect import Database
from retake.store.workspaces import ensure_workspace

pytestmark = pytest.mark.anyio


@pytest.fixture
async def real(start: Start, footage: Footage) -> dict[str, str]:
    """Path parameter -> one that leads somewhere, for those of the workspace `default`."""
    job = await footage.finished(["private holiday.mp4"], takes=2, owner="default")
    async with logged_in(await start()) as client:
        upload = (await create(client, 5000)).json()["id"]
    return {"job_id": str(job.id), "file_id": str(job.videos[0]), "index": "1", "upload_id": upload}


def unknown(real: Mapping[str, str]) -> dict[str, str]:
    return {name: str(uuid4()) if len(value) == 36 else "17" for name, value in real.items()}


def malformed(real: Mapping[str, str]) -> dict[str, str]:
    return dict.fromkeys(real, "none")


async def told_apart(operation: Operation, stranger: httpx.AsyncClient, real: Mapping[str, str]) -> list[str]:
    """How a stranger can tell what is there from what is not."""
    if lacking := sorted(set(operation.names) - set(real)):
        return [f"{operation}: say in `real` (test_isolation.py) what a real {lacking[0]} is"]
    nowhere = await operation.answer(stranger, unknown(real))
    found = []
    if nowhere[0] != 404:
        found.append(f"{operation}: answers {nowhere[0]} to ids nobody has, with {operation.body}: {nowhere[1]!r}")
    tried = {"somebody else's ids": dict(real), "malformed ids": malformed(real)}
    tried |= {f"somebody else's {name}": {**unknown(real), name: real[name]} for name in operation.names}
    for what, values in tried.items():
        answer = await operation.answer(stranger, values)
        if answer != nowhere:
            found.append(f"{operation}: answers {answer} to {what}, and {nowhere} to ids nobody has")
    return found


async def test_what_is_not_yours_is_what_is_not_there_on_every_operation(
    start: Start, database: Database, real: dict[str, str]
) -> None:
    mine, theirs = await start(), await start(workspace=await ensure_workspace(database, "theirs"))
    asked = [one for one in operations() if one.gated and one.names]
    async with logged_in(mine) as client, logged_in(theirs) as stranger:
        before = (await client.get(f"/api/jobs/{real['job_id']}")).json()

        complaints = [complaint for one in asked for complaint in await told_apart(one, stranger, real)]

        after = (await client.get(f"/api/jobs/{real['job_id']}")).json()
        owners = [
            await one.answer(client, real) for one in asked if one.method == "GET" and set(one.names) <= set(real)
        ]
    assert complaints == []
    assert after == before
    assert 404 not in [status for status, _, _ in owners]
    assert len(owners) >= 9


async def test_nothing_that_lists_tells_of_somebody_else(
    start: Start, database: Database, real: dict[str, str]
) -> None:
    theirs = await start(workspace=await ensure_workspace(database, "theirs"))
    asked = [one for one in operations() if one.gated and not one.names and one.method == "GET"]
    async with logged_in(theirs) as stranger:
        for one in asked:
            status, content, _ = await one.answer(stranger, {})

            assert status == 200, f"{one} answers {status}"
            for word in (real["job_id"], real["file_id"], "private holiday"):
                assert word.encode() not in content, f"{one} tells of somebody else's {word}"
    assert len(asked) >= 2


async def test_ids_of_somebody_else_in_a_body_are_as_unknown_ones(
    start: Start, database: Database, real: dict[str, str]
) -> None:
    theirs = await start(workspace=await ensure_workspace(database, "theirs"))
    asked = [one for one in operations() if one.gated and has_ids(one.body)]
    nobodys = str(uuid4())
    async with logged_in(theirs) as stranger:
        for one in asked:
            places = {name: str(uuid4()) for name in one.names}
            status, nowhere, _ = await one.answer(stranger, places, nobodys)

            for somebodys in (value for value in real.values() if len(value) == 36):
                answer = await one.answer(stranger, places, somebodys)

                assert answer[0] == status, f"{one}: {answer}"
                assert said(answer[1]).replace(somebodys.encode(), nobodys.encode()) == said(nowhere), f"{one}"
    assert asked


def said(content: bytes) -> bytes:
    """A problem document without the id of its request, which is its last field."""
    return content.partition(b'"requestId"')[0]
