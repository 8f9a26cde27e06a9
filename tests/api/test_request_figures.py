"""Requests in figures: right for those that are meant, and few labels whatever a client makes up."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from api.acting import finish, submit
from api.conftest import Server
from api.wire import connected
from conftest import eventually
from retake import metrics
from retake.store.connect import Database

pytestmark = pytest.mark.anyio


def samples() -> Mapping[tuple[str, ...], float]:
    """Of all families that are labelled by route: name and labels -> value."""
    return {
        (sample.name, *(sample.labels.get(name, "") for name in ("method", "route", "status", "le"))): sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if family.name.startswith("retake_http_")
    }


def grown(before: Mapping[tuple[str, ...], float], name: str, *labels: str) -> float:
    found = next((key for key in samples() if key[0] == name and key[1 : 1 + len(labels)] == labels), None)
    return 0 if found is None else samples()[found] - before.get(found, 0)


async def test_bytes_and_answers_are_counted_by_route(client: httpx.AsyncClient, database: Database) -> None:
    before = samples()
    job = (await submit(client, "a.mp4", variations="1"))["jobId"]
    await finish(database)

    shown = [await client.get(f"/api/jobs/{job}") for _ in range(3)]
    missing = await client.get(f"/api/jobs/{job[:-1]}x")

    route = "/api/jobs/{job_id}"
    assert grown(before, "retake_http_requests_total", "GET", route, "200") == 3
    assert grown(before, "retake_http_requests_total", "GET", route, "404") == 1
    assert grown(before, "retake_http_first_byte_seconds_count", "GET", route) == 4
    assert grown(before, "retake_http_request_seconds_count", "GET", route) == 4
    sent = sum(len(answer.content) for answer in (*shown, missing))
    assert grown(before, "retake_http_sent_bytes_total", "GET", route) == sent
    assert 5000 < grown(before, "retake_http_received_bytes_total", "POST", "/api/jobs") < 6000


async def test_made_up_paths_methods_and_names_add_no_labels(server: Server, client: httpx.AsyncClient) -> None:
    async def ask(n: int) -> None:
        method = ("GET", "BREW", f"X{n}", "PROPFIND")[n % 4]
        for path in (f"/{n}", f"/api/jobs/{n}", f"/api/{n}/%00/{'a' * n}", f"/api/jobs?status={n}", f"//{n}/../x"):
            await client.request(method, path, headers={"X-HTTP-Method-Override": f"Y{n}"})
        await client.post(f"/api/uploads/{n}", headers={"X-HTTP-Method-Override": f"Z{n}", "Tus-Resumable": "1.0.0"})

    await ask(0)
    await asyncio.gather(*(ask(n) for n in range(1, 5)))
    before = set(samples())

    for n in range(5, 15):
        await ask(n)

    assert set(samples()) == before
    assert {key[1] for key in before} - {""} <= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"}
    assert not any(character.isdigit() for key in before for character in key[2])


async def test_a_client_that_leaves_before_its_answer_is_told_as_such(
    server: Server, client: httpx.AsyncClient
) -> None:
    before = samples()
    head = f"POST /api/jobs HTTP/1.1\r\nHost: test\r\nAuthorization: {client.headers['Authorization']}\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n"
    async with connected(server.url) as (_, writer):
        writer.write(head.encode())
        await writer.drain()
        await eventually(lambda: _now(told_under_way() == 1))

    await eventually(lambda: _now("/api/jobs" in server.ended))

    assert grown(before, "retake_http_requests_total", "POST", "/api/jobs", "499") == 1
    assert grown(before, "retake_http_received_bytes_total", "POST", "/api/jobs") == len("--b\r\n")
    assert told_under_way() == 0


async def _now(truth: bool) -> bool:
    return truth


def told_under_way() -> float | None:
    return metrics.REGISTRY.get_sample_value("retake_http_requests_under_way")


async def test_listeners_are_counted_while_they_listen(server: Server, client: httpx.AsyncClient) -> None:
    def listeners() -> float | None:
        return metrics.REGISTRY.get_sample_value("retake_live_listeners")

    async with client.stream("GET", "/api/events"):
        await eventually(lambda: _now(listeners() == 1))

    await eventually(lambda: _now(listeners() == 0))
