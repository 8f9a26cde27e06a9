"""GET /api/openapi.json and /api/docs: what is served is described, all of it, and nothing else is.

A route that does not say what it must is named here, with what it lacks and where to say it.
"""

import copy
import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from starlette.routing import Route

from api.conftest import Server
from retake_api import pages
from retake_api.app import Tools, create_app
from retake_api.described import PROBLEM
from retake_api.openapi import TAGS, UNSAID, document
from retake_api.options import read_options

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

PROBES = {("GET", "/livez"), ("GET", "/readyz")}
COMMITTED = Path(__file__).resolve().parents[2] / "docs/openapi.json"


@pytest.fixture
async def described(tools: Tools) -> Json:
    return document(create_app(tools))


def operations(described: Json) -> Iterator[tuple[str, Json]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def complaints(described: Json) -> list[str]:
    """What an operation does not say, and where its route would say it."""
    return [
        f"{name} {lack}"
        for name, operation in operations(described)
        for lack in (*of_itself(operation), *of_its_answers(operation), *of_examples(operation))
    ]


def of_itself(operation: Json) -> Iterator[str]:
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]):
        yield "has no readable operation id: name its function in snake_case"
    if operation["operationId"].replace("_", " ").title() == operation["summary"]:
        yield "has no summary of its own: summary=..."
    if not operation.get("tags") or not set(operation["tags"]) <= set(TAGS):
        yield "has no tag of openapi.TAGS: tags=[...]"


def of_its_answers(operation: Json) -> Iterator[str]:
    for status, answer in operation["responses"].items():
        if answer["description"] in ("Successful Response", "Additional Response", ""):
            yield f"has no words for its {status}: response_description=... or responses=refuses({{{status}: ...}})"
        if int(status) >= 400 and not {PROBLEM, "application/json"} & set(answer["content"]):
            yield f"has no shape for its {status}: responses=refuses({{{status}: ...}})"
        if int(status) < 300 and status != "204" and not answer.get("content"):
            yield f"has no shape for its {status}: response_model=... or responses=streams(...)"


def of_examples(operation: Json) -> Iterator[str]:
    for one in operation.get("parameters", []):
        if one["in"] == "path" and not one["schema"].get("examples"):
            yield f"has no example of {one['name']}: use JobId, FileId or a type like them (schemas.py)"
    for media, content in contents(operation):
        if UNSAID in json.dumps(content.get("example")):
            yield f"has no example of every text in its {media}: Annotated[str, said(...)] (schemas.py)"


def contents(operation: Json) -> Iterator[tuple[str, Json]]:
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from body.get("content", {}).items()


async def test_every_route_is_described_and_nothing_else_is(tools: Tools, described: Json) -> None:
    app = create_app(tools)
    served = {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route) and route.endpoint.__module__ != pages.__name__
        for method in (route.methods or ()) - {"HEAD"}
    }

    assert [route for route in app.routes if not isinstance(route, Route)] == []
    assert {tuple(name.split(" ")) for name, _ in operations(described)} == served - PROBES


async def test_every_operation_says_all_it_must(described: Json) -> None:
    assert complaints(described) == []


def unnamed(operation: Json) -> None:
    operation["operationId"] = "Show Job"


def unsummarised(operation: Json) -> None:
    operation["summary"] = "Show Job"


def untagged(operation: Json) -> None:
    operation["tags"] = ["misc"]


def unspoken(operation: Json) -> None:
    operation["responses"]["200"]["description"] = "Successful Response"


def other_errors(operation: Json) -> None:
    operation["responses"]["404"]["content"] = {}


def shapeless(operation: Json) -> None:
    del operation["responses"]["200"]["content"]


def bodyless(operation: Json) -> None:
    operation["responses"]["200"]["content"]["application/json"]["example"] = {"name": UNSAID}


def exampleless(operation: Json) -> None:
    del operation["parameters"][0]["schema"]["examples"]


async def test_what_an_operation_does_not_say_is_noticed(described: Json) -> None:
    for spoil in (unnamed, unsummarised, untagged, unspoken, other_errors, shapeless, bodyless, exampleless):
        spoilt = copy.deepcopy(described)
        spoil(spoilt["paths"]["/api/jobs/{job_id}"]["get"])

        [complaint] = complaints(spoilt)

        assert complaint.startswith("GET /api/jobs/{job_id} has no "), spoil.__name__


async def test_the_document_is_openapi_3_1(described: Json) -> None:
    assert described["openapi"] == "3.1.0"
    schemathesis.openapi.from_dict(described).validate()


async def test_operation_ids_are_unique(described: Json) -> None:
    ids = [operation["operationId"] for _, operation in operations(described)]

    assert len(ids) == len(set(ids))


async def test_every_example_fits_its_shape(described: Json) -> None:
    looked_at = 0
    for name, operation in operations(described):
        for media, content in contents(operation):
            if "example" in content:
                shape = {**content["schema"], "components": described["components"]}
                wrong = [error.message for error in jsonschema_rs.validator_for(shape).iter_errors(content["example"])]
                assert wrong == [], f"{name} {media}"
                looked_at += 1

    assert looked_at >= 7


async def test_the_form_describes_the_fields_and_options_there_are(described: Json) -> None:
    body = described["paths"]["/api/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]

    assert set(body["schema"]["properties"]) == {"videos", "variations", "options"}
    read_options(body["schema"]["properties"]["options"]["examples"][0])


async def test_what_wants_a_token_says_so(server: Server, described: Json) -> None:
    for name, operation in operations(described):
        method, path = name.split(" ")

        answer = await server.client.request(method, path.replace("{", "").replace("}", ""))

        refused = answer.status_code == 401 and answer.json()["code"] == "no_token"
        assert refused == ("security" in operation), f"{name} answers {answer.status_code}"


async def test_the_document_is_served_to_all_and_is_the_committed_one(server: Server) -> None:
    answer = await server.client.get("/api/openapi.json")

    assert answer.status_code == 200
    assert answer.json() == json.loads(COMMITTED.read_text(encoding="utf-8"))


async def test_the_page_shows_it_with_nothing_from_elsewhere(server: Server) -> None:
    answer = await server.client.get("/api/docs")

    page, policy = answer.text, answer.headers["Content-Security-Policy"]
    [script] = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert re.findall(r"https?://|//cdn|innerHTML|src=|@import", page) == []
    assert f"script-src 'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}';" in policy
    assert policy.startswith("default-src 'none';")


async def test_head_answers_what_get_would_without_its_body(server: Server) -> None:
    for address in ("/api/health", "/api/openapi.json"):
        got, head = await server.client.get(address), await server.client.head(address)

        assert head.status_code == 200
        assert head.headers["Content-Length"] == got.headers["Content-Length"]
        assert head.content == b""
