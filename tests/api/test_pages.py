"""How the pages are served: what they look like is for tests/ui."""

import re
from typing import Any

import httpx
import pytest

from api.conftest import Server, Start

pytestmark = pytest.mark.anyio


def loads(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(\./[^"]+)"', page)


@pytest.mark.parametrize("path", ["/", "/new", "/system", "/jobs/anything"])
async def test_every_address_of_a_page_gives_the_document_to_anybody(server: Server, path: str) -> None:
    answer = await server.client.get(path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_what_the_document_loads_is_there_small_and_kept_by_browsers(server: Server) -> None:
    page = (await server.client.get("/")).text

    files = {one: await server.client.get(f"/{one}") for one in loads(page)}

    assert {answer.status_code for answer in files.values()} == {200}
    [script] = [answer for name, answer in files.items() if name.endswith(".js")]
    assert script.headers["Content-Encoding"] == "gzip"
    assert int(script.headers["Content-Length"]) < 60_000
    assert "immutable" in script.headers["Cache-Control"]


async def test_a_page_that_is_known_is_not_sent_again(server: Server) -> None:
    first = await server.client.get("/")

    again = await server.client.get("/", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")


async def test_a_client_that_cannot_unzip_gets_plain_bytes(server: Server) -> None:
    [script] = [one for one in loads((await server.client.get("/")).text) if one.endswith(".js")]

    plain = await server.client.get(f"/{script}", headers={"Accept-Encoding": "identity"})

    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == "Accept-Encoding"
    assert plain.text == (await server.client.get(f"/{script}")).text


@pytest.mark.parametrize("stripped", [True, False], ids=["stripped by the proxy", "handed on"])
async def test_below_a_prefix_everything_is_found_from_the_base_of_the_document(
    start: Start, *, stripped: bool
) -> None:
    server = await start(web={"prefix": "/a/retake"})
    at = "" if stripped else "/a/retake"

    page = (await server.client.get(f"{at}/jobs/anything")).text
    files = [await server.client.get(f"{at}/{one}") for one in loads(page)]

    assert '<base href="/a/retake/"' in page
    assert {answer.status_code for answer in files} == {200}


async def test_the_prefix_itself_is_its_first_page(start: Start) -> None:
    server = await start(web={"prefix": "/retake"})

    assert (await server.client.get("/retake")).text == (await server.client.get("/retake/")).text


async def test_what_is_no_page_is_a_problem_document(server: Server) -> None:
    answer = await server.client.get("/assets/../secret")

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


async def test_options_say_what_is_taken_and_every_preset_can_be_asked_for(
    client: httpx.AsyncClient, start: Start
) -> None:
    offers: dict[str, Any] = (await client.get("/api/options")).raise_for_status().json()
    more = await start(limits={"more_types": ("webm",)})
    token = await more.log_in()
    wider = (await more.client.get("/api/options", headers={"Authorization": f"Bearer {token}"})).json()

    assert (offers["types"], wider["types"]) == (["mov", "mp4"], ["mov", "mp4", "webm"])
    assert offers["fileBytes"] == 500 * 1024**2
    assert offers["presetUsual"] in {one["name"] for one in offers["presets"]}
    known = {one["name"] for one in offers["effects"]}
    assert all(set(one["effects"]) <= known for one in offers["presets"])
    zoom = next(one for one in offers["effects"] if one["name"] == "zoom")
    assert zoom["bounds"]["factor"] == [1.0, 1.25]
    assert zoom["ranges"]["medium"]["factor"] == [1.04, 1.12]
