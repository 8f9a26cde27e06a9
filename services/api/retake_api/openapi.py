"""The OpenAPI document: made of the routes themselves, so that it describes what is served and nothing else.

Each route says what only it knows (described.py). What follows from its nature is added here: who may call it, the
answers that every call behind the gate can have, and those of every call with a body or an id; and examples, put
together from those of the fields. docs/openapi.json is this document, written by `make generate`;
tests/api/test_openapi.py says what is missing where.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import APIRoute

from retake import __version__
from retake_api.addresses import address
from retake_api.auth import SECURITY, Gate
from retake_api.described import PROBLEM, REF, Json, headers, refuses
from retake_api.problems import Told

TAGS = {
    "access": "Who may call: a password becomes a session. API keys need none.",
    "jobs": "Submit videos, and look at what becomes of them.",
    "uploads": "Videos that arrive piece by piece, and survive interruptions on either side (tus 1.0).",
    "live": "What happens, while it happens.",
    "results": "Finished takes, as bytes.",
    "service": "The installation itself.",
}
_DESCRIPTION = """\
retake turns every video into many takes. Names are camelCase, times RFC 3339 in UTC. Errors are problem documents
(RFC 9457): `error` is a sentence for people, `code` what programs tell it by. Every answer has an `X-Request-Id`.
Every GET answers HEAD, too."""

_GATED = {
    401: "Nobody is known by what was shown, or not any more.",
    403: "The caller lacks the scope for this, or a browser sent it from another site's page.",
    429: "Too many calls.",
    503: "A part that is needed does not answer.",
}
_OF_AN_ID = {404: "There is nothing here: unknown, malformed, or not yours, in the same bytes."}
_WITH_A_BODY = {
    400: "The body cannot be read.",
    408: "The body arrived too slowly.",
    413: "The body is too large.",
}


def install(app: FastAPI) -> None:
    """The last to be installed: the document, and HEAD wherever there is a GET."""
    made: dict[str, bytes] = {}

    @app.get(
        "/api/openapi.json",
        summary="This document",
        tags=["service"],
        response_model=dict[str, Any],
        response_description="OpenAPI 3.1.",
        responses={200: {"content": {"application/json": {"example": {"openapi": "3.1.0"}}}}},
    )
    async def openapi_document() -> Response:
        prefix = address("")
        if prefix not in made:
            told = {**document(app), "servers": [{"url": prefix or "/"}]}
            made[prefix] = json.dumps(told, ensure_ascii=False).encode()
        return Response(made[prefix], media_type="application/json", headers={"Cache-Control": "no-cache"})

    have_one = {route.path for route in routes(app) if route.methods == {"HEAD"}}
    for route in list(routes(app)):
        if route.methods == {"GET"} and route.path not in have_one:
            guards = route.dependencies
            app.add_api_route(
                route.path, route.endpoint, methods=["HEAD"], dependencies=guards, include_in_schema=False
            )


def routes(app: FastAPI) -> Iterator[APIRoute]:
    return (route for route in app.routes if isinstance(route, APIRoute))


def operations(found: Json) -> Iterator[Json]:
    return (operation for path in found["paths"].values() for operation in path.values())


def document(app: FastAPI) -> Json:
    found = get_openapi(
        title="retake",
        version=__version__,
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": words} for name, words in TAGS.items()],
        servers=[{"url": "/"}],
    )
    for route in routes(app):
        if route.include_in_schema:
            for method in route.methods or ():
                _complete(found["paths"][route.path_format][method.lower()], route, method)
    schemas: Json = found["components"]["schemas"]
    for framework in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework, None)
    schemas["Problem"] = Told.model_json_schema(ref_template=REF)
    _hoist(found["paths"], schemas)
    for operation in operations(found):
        _exemplify(operation, schemas)
    found["components"] = {
        "securitySchemes": SECURITY,
        "headers": headers({"X-Request-Id": "Names this request in our logs."}),
        "schemas": dict(sorted(schemas.items())),
    }
    return found


def _complete(operation: Json, route: APIRoute, method: str) -> None:
    operation["operationId"] = route.name
    added: dict[int, str] = {}
    if (gated := _gate_of(route.dependant)) is not None:
        gate, call = gated
        operation["security"] = gate.security(call, method)
        added |= _GATED
    if route.param_convertors:
        added |= _OF_AN_ID
    if "requestBody" in operation:
        added |= _WITH_A_BODY
    answers: Json = operation["responses"]
    if "422" in answers and PROBLEM not in answers["422"]["content"]:
        del answers["422"]
        if route.dependant.query_params:
            added[422] = "A parameter is not what it must be."
    known: Json = {**{str(status): answer for status, answer in refuses(added).items()}, **answers}
    operation["responses"] = dict(sorted(known.items()))
    for answer in known.values():
        answer["headers"] = {**answer.get("headers", {}), "X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}


def _gate_of(dependant: Dependant) -> tuple[Gate, Any] | None:
    """The gate among a route's dependencies, or theirs; and what of it stands there: itself or a method."""
    for one in dependant.dependencies:
        for guard in (one.call, getattr(one.call, "__self__", None)):
            if isinstance(guard, Gate):
                return guard, one.call
        if (deeper := _gate_of(one)) is not None:
            return deeper
    return None


def _hoist(node: Any, schemas: Json) -> None:
    """Shapes that stand inside others move to the components."""
    for value in list(node.values() if isinstance(node, dict) else node):
        if isinstance(value, dict):
            schemas |= value.pop("$defs", {})
        if isinstance(value, dict | list):
            _hoist(value, schemas)


def _exemplify(operation: Json, schemas: Json) -> None:
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        for media, content in body.get("content", {}).items():
            if media == "application/json":
                content.setdefault("example", example_of(content["schema"], schemas))


def example_of(schema: Json, schemas: Json) -> Any:
    """From the examples of the fields; one without has its default, or the plainest value of its type."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "default" in schema:
        return schema["default"]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    match schema.get("type"):
        case "object":
            return {name: example_of(one, schemas) for name, one in schema.get("properties", {}).items()}
        case "array":
            return [example_of(schema["items"], schemas)]
        case _:
            return _PLAIN.get(schema.get("format") or schema["type"], UNSAID)


UNSAID = "(no example)"
"""What stands for a text that has no example."""

_PLAIN: Mapping[str, Any] = {
    "uuid": "7f9c2ba4-e88f-4d2a-9b1e-2d6f0a5c3e11",
    "date-time": "2026-03-01T12:00:00Z",
    "integer": 1,
    "number": 0.5,
    "boolean": True,
}
