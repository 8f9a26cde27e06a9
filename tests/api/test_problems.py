"""Errors, request ids and the log: the same shape everywhere."""

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from api.conftest import Server, Start, logged_in
from retake.store.connect import Database, Unavailable

pytestmark = pytest.mark.anyio


async def test_a_problem_has_the_fields_of_the_contract(server: Server) -> None:
    answer = await server.client.get("/api/jobs")

    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told.pop("requestId") == answer.headers["X-Request-Id"]
    assert told.pop("detail") == told.pop("error")
    assert told == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "instance": "/api/jobs",
        "code": "no_token",
    }


@pytest.mark.parametrize("address", ["/api", "/api/", "/api/jobs/", "/api/nothing", "/nothing.js", "/%00", "/api/%ff"])
async def test_an_unknown_address_is_404(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["X-Request-Id"]


async def test_another_method_is_405_with_those_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.put("/api/jobs", content=b"x" * 1000)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert answer.json()["allowed"] == ["GET", "HEAD", "POST"]


async def test_each_request_has_an_id_of_its_own_unless_a_proxy_gave_it_one(server: Server) -> None:
    ids = [(await server.client.get("/livez")).headers["X-Request-Id"] for _ in range(3)]
    given = await server.client.get("/livez", headers={"X-Request-Id": "proxy-17"})
    forged = await server.client.get("/livez", headers={"X-Request-Id": 'x" level="error'})

    assert len(set(ids)) == 3
    assert given.headers["X-Request-Id"] == "proxy-17"
    assert forged.headers["X-Request-Id"] != 'x" level="error'


async def test_each_request_is_one_line_in_the_log(client: httpx.AsyncClient) -> None:
    with capture_logs() as lines:
        await client.get("/api/jobs/none?secret=1")

    [line] = [line for line in lines if line["event"] == "request"]
    assert {key: line[key] for key in ("method", "route", "path", "status", "log_level")} == {
        "method": "GET",
        "route": "/api/jobs/{job_id}",
        "path": "/api/jobs/none",
        "status": 404,
        "log_level": "info",
    }
    assert 0 <= line["seconds"] < 5
    assert "secret" not in str(lines)


async def test_the_line_of_a_request_names_its_job_cut_to_the_length_of_an_id_and_only_for_who_may_ask(
    server: Server, client: httpx.AsyncClient
) -> None:
    long = "0" * 5000

    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        refused = await server.client.get(f"/api/jobs/{long}")
        await client.get(f"/api/jobs/{long}")

    stranger, ours = [line for line in lines if line["event"] == "request"]
    assert stranger["request"] == refused.headers["X-Request-Id"]
    assert (stranger["status"], "job" in stranger) == (401, False)
    assert (ours["status"], ours["job"]) == (404, "0" * 36)
    assert len(ours["path"]) == 200


async def test_probes_do_not_fill_the_log(server: Server) -> None:
    with capture_logs() as lines:
        await server.client.get("/api/health")

    assert [line["log_level"] for line in lines if line["event"] == "request"] == ["debug"]


class NoDatabase(Database):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def transaction(self, patience: float = 10):
        raise self._error


async def test_a_database_that_is_away_is_503(start: Start) -> None:
    server = await start()
    token = await server.log_in()
    away = await start(database=NoDatabase(Unavailable("no answer from 10.0.0.7")))

    answer = await away.client.get("/api/jobs", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"]
    assert "10.0.0.7" not in answer.text


async def test_an_error_of_ours_is_500_and_tells_nothing_but_its_request(start: Start) -> None:
    token = await (await start()).log_in()
    broken = await start(database=NoDatabase(RuntimeError("/srv/secret/path.py")))

    with capture_logs() as lines:
        answer = await broken.client.get("/api/jobs", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
    assert [line["log_level"] for line in lines if line["event"] == "request failed"] == ["error"]


async def test_health_needs_no_token(start: Start) -> None:
    server = await start()

    assert (await server.client.get("/api/health")).json()["status"] == "ok"
    async with logged_in(server) as client:
        assert (await client.get("/api/health")).status_code == 200
