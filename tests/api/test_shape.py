"""What every answer has in common: its headers, its addresses below a prefix, and what other sites may ask."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.conftest import Server, Start, form, logged_in
from api.wire import PASSWORD, clip

pytestmark = pytest.mark.anyio

ADDRESSES = ["/api/health", "/api/jobs", "/api/docs", "/api/openapi.json", "/api/nothing", "/livez"]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_every_answer_is_shielded(server: Server, address: str) -> None:
    answer = await server.client.get(address)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] in ("no-store", "no-cache")
    assert answer.headers["X-Request-Id"]


async def test_what_fails_on_our_side_is_shielded_too(start: Start) -> None:
    token = await (await start()).log_in()
    broken = await start(database=None)

    answer = await broken.client.get("/api/jobs", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (500, "nosniff")


@pytest.mark.parametrize("stripped", [False, True])
async def test_below_a_path_prefix_everything_is_as_above_it(start: Start, *, stripped: bool) -> None:
    server = await start(web={"prefix": "/retake"})
    base = "" if stripped else "/retake"
    login = await server.client.post(f"{base}/api/auth", json={"password": PASSWORD})
    auth = {"Authorization": f"Bearer {login.json()['token']}"}
    for _ in range(2):
        accepted = await server.client.post(f"{base}/api/jobs", headers=auth, **form(("a.mp4", clip())))
    listed = await server.client.get(f"{base}/api/jobs?limit=1", headers=auth)
    [following] = re.findall(r'<(.*)>; rel="next"', listed.headers["Link"])
    job = accepted.json()["jobId"]
    link = await server.client.post(f"{base}/api/jobs/{job}/link", headers=auth)

    assert "Path=/retake" in login.headers["Set-Cookie"].split("; ")
    assert accepted.headers["Location"] == accepted.json()["statusUrl"] == f"/retake/api/jobs/{job}"
    assert following.startswith("/retake/api/jobs?")
    assert (await server.client.get(following, headers=auth)).status_code == 200
    assert link.json()["url"].startswith(f"{server.url}/retake/api/jobs/")
    assert (await server.client.get(f"{base}/api/docs")).status_code == 200
    assert (await server.client.get(f"{base}/api/openapi.json")).json()["servers"] == [{"url": "/retake"}]
    views = [await server.client.get(f"{base}/api/jobs{place}", headers=auth) for place in ("", f"/{job}")]
    assert [one for view in views for one in addresses(view.json()) if not one.startswith("/retake/")] == []


def addresses(value: Any) -> list[str]:
    """Every text in an answer that looks like an address of ours."""
    if isinstance(value, dict | list):
        return [found for one in (value.values() if isinstance(value, dict) else value) for found in addresses(one)]
    return [value] if isinstance(value, str) and "/api/" in value else []


async def test_a_prefix_is_a_whole_part_of_the_path(start: Start) -> None:
    server = await start(web={"prefix": "/retake"})

    assert (await server.client.get("/retakes/api/health")).status_code == 404
    assert (await server.client.get("/livez")).status_code == 200


async def test_other_sites_may_ask_nothing_unless_they_are_named(start: Start) -> None:
    closed, opened = await start(), await start(web={"origins": ("https://ui.example",)})
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}

    async def allowed(server: Server, origin: str, method: str = "GET") -> str | None:
        headers = {"Origin": origin, **(preflight if method == "OPTIONS" else {})}
        answer: httpx.Response = await server.client.request(method, "/api/jobs", headers=headers)
        found: str | None = answer.headers.get("Access-Control-Allow-Origin")
        return found

    assert await allowed(closed, "https://ui.example") is None
    assert await allowed(opened, "https://evil.example") is None
    assert await allowed(opened, "https://evil.example", "OPTIONS") is None
    assert await allowed(opened, "https://ui.example") == "https://ui.example"
    assert await allowed(opened, "https://ui.example", "OPTIONS") == "https://ui.example"


async def test_what_a_browser_asks_for_another_site_is_refused_in_our_words(start: Start) -> None:
    server = await start(web={"origins": ("https://ui.example",)})
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    answer = await server.client.options("/api/jobs", headers=asked)

    assert (answer.status_code, answer.json()["code"]) == (400, "other_site")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
    assert "Origin" in answer.headers["Vary"]


async def test_another_site_reads_what_it_needs_and_sends_no_cookie(start: Start) -> None:
    server = await start(web={"origins": ("https://ui.example",)})
    async with logged_in(server) as client:
        answer = await client.get("/api/jobs", headers={"Origin": "https://ui.example"})

    assert {"Link", "Location", "X-Request-Id"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"{", 400, "invalid_json"), (b"\xff", 400, "invalid_json"), (b'"' + b"x" * 100_000, 413, "body_too_large")],
)
async def test_bodies_that_the_framework_reads_are_small_and_refused_in_our_words(
    client: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    answer = await client.post(f"/api/jobs/{uuid4()}/keep", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
