"""POST and DELETE /api/auth, and what a token opens."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from starlette.routing import Route

from api.conftest import Server, Start, form, logged_in, rows
from api.wire import PASSWORD, clip
from retake.store.connect import Database
from retake.store.workspaces import ensure_workspace
from retake_api.app import Tools, create_app
from retake_api.password import Password

pytestmark = pytest.mark.anyio

OPEN = {
    ("POST", "/api/auth"),
    *((method, f"/api/{name}") for name in ("health", "openapi.json", "docs") for method in ("GET", "HEAD")),
}


async def test_the_password_gives_a_token_for_24_hours(server: Server) -> None:
    answer = await server.client.post("/api/auth", json={"password": PASSWORD})

    told = answer.json()
    assert answer.status_code == 200
    assert set(told) == {"token", "expiresAt"}
    assert told["expiresAt"].endswith("Z")
    left = datetime.fromisoformat(told["expiresAt"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24, seconds=5)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_wrong_password_is_401_with_a_sentence(server: Server) -> None:
    answer = await server.client.post("/api/auth", json={"password": PASSWORD + "x"})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"] == "That is not the password."


async def test_a_body_without_a_password_is_400(server: Server) -> None:
    for body in (
        b"", b"{", b"[]", b'"text"', b"null", b"{}", b'{"password": 7}', b'{"password": ""}', b'{"password": null}',
        b"\xff\xfe", b"[" * 60_000,
    ):  # fmt: skip
        answer = await server.client.post("/api/auth", content=body)

        assert (answer.status_code, answer.json()["code"] in ("no_password", "invalid_json")) == (400, True), body
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_body_too_long_to_be_a_password_is_413(server: Server) -> None:
    answer = await server.client.post("/api/auth", json={"password": "x" * 100_000})

    assert answer.status_code == 413


@pytest.mark.parametrize("password", ["a", "пароль", "密码🔑", "e\u0301", "\x00", "\ud800", "x" * 1000])
async def test_any_text_is_compared_and_only_the_same_one_is_right(password: str) -> None:
    known = Password(password, b"salt")

    assert await known.matches(password)
    assert not await known.matches(password + "\u0301")
    assert not await known.matches(password[:-1] + "?")


async def test_every_route_but_login_and_health_wants_a_token(server: Server, tools: Tools) -> None:
    asked = {
        (method, route.path)
        for route in create_app(tools).routes
        if isinstance(route, Route)
        if route.path.startswith("/api/")
        for method in route.methods or ()
    } - OPEN

    answers = {
        (method, path): await server.client.request(method, path.replace("{", "").replace("}", ""))
        for method, path in sorted(asked)
    }

    assert len(answers) >= 5
    assert {answer.status_code for answer in answers.values()} == {401}
    assert {answer.json()["code"] for (method, _), answer in answers.items() if method != "HEAD"} == {"no_token"}


async def test_no_altered_token_opens_anything(server: Server) -> None:
    token = await server.log_in()
    altered = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(0, len(token), 4)]

    for tried in [*altered, token[:-1], token + "A", "é" * 5]:
        answer = await server.client.get("/api/jobs", headers={"Authorization": f"Bearer {tried}".encode()})
        assert answer.status_code == 401, tried


async def test_a_token_works_on_every_replica_until_it_is_revoked_on_one(start: Start) -> None:
    one, other = await start(), await start()
    async with logged_in(one) as client:
        assert (await client.get(f"{other.url}/api/jobs")).status_code == 200

        revoked = await client.delete(f"{other.url}/api/auth")

        assert revoked.status_code == 204
        for server in (one, other):
            answer = await client.get(f"{server.url}/api/jobs")
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_logging_out_leaves_others_logged_in(server: Server) -> None:
    async with logged_in(server) as one, logged_in(server) as other:
        await one.delete("/api/auth")

        assert (await other.get("/api/jobs")).status_code == 200


async def test_a_token_ends_when_it_said(client: httpx.AsyncClient, database: Database) -> None:
    await rows(database, "UPDATE session SET expires_at = now() RETURNING 1")

    assert (await client.get("/api/jobs")).status_code == 401


async def test_what_ended_is_forgotten_at_the_next_login(server: Server, database: Database) -> None:
    await server.log_in()
    await rows(database, "UPDATE session SET expires_at = now() RETURNING 1")

    await server.log_in()

    assert len(await rows(database, "SELECT FROM session")) == 1


async def test_the_database_does_not_know_the_token(server: Server, database: Database) -> None:
    token = await server.log_in()

    [session] = await rows(database, "SELECT * FROM session")
    assert token.encode() not in session["token_sha256"]
    assert token not in str(session)


async def test_somebody_elses_job_is_the_same_404_as_none(start: Start, database: Database) -> None:
    mine, theirs = await start(), await start(workspace=await ensure_workspace(database, "theirs"))
    async with logged_in(mine) as client, logged_in(theirs) as stranger:
        job = (await client.post("/api/jobs", **form(("a.mp4", clip())))).json()
        video = job["files"][0]["id"]

        bodies = set()
        for address in (
            f"/api/jobs/{job['jobId']}",
            f"/api/jobs/{job['jobId']}/files/{video}",
            f"/api/jobs/{uuid4()}",
            f"/api/jobs/{uuid4()}/files/{video}",
            "/api/jobs/none",
            f"/api/jobs/{job['jobId'].upper()}",
            f"/api/jobs/{{{job['jobId']}}}",
            "/api/jobs/none/files/none",
            "/api/nothing",
        ):
            answer = await stranger.get(address)
            assert answer.status_code == 404, address
            bodies.add(answer.content)

        assert len(bodies) == 1
        assert (await stranger.get("/api/jobs")).json() == []
        assert (await client.get(f"/api/jobs/{job['jobId']}/files/{uuid4()}")).content in bodies
        assert (await client.get(f"/api/jobs/{job['jobId']}")).status_code == 200
