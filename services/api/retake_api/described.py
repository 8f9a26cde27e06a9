"""What a route says of itself for the OpenAPI document, beside its summary and tag (openapi.py adds the rest).

responses=refuses({409: "No take is finished yet."}) | streams("application/zip", "The ZIP.")
openapi_extra=takes({"application/json": LogIn})
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Json = dict[str, Any]
Answers = dict[int | str, Json]
"""A route's `responses`."""

REF = "#/components/schemas/{model}"
PROBLEM = "application/problem+json"

_BYTES = {"type": "string", "format": "binary"}
_SAID_WITH = {
    401: {"WWW-Authenticate": "How to say who one is."},
    405: {"Allow": "The methods there are."},
    429: {"Retry-After": "Seconds to wait."},
    503: {"Retry-After": "Seconds to wait."},
}


def refuses(why: Mapping[int, str]) -> Answers:
    """Status -> when it is answered; but for what every route of its sort answers (openapi.py adds that)."""
    return {
        status: {
            "description": words,
            "content": {PROBLEM: {"schema": {"$ref": REF.format(model="Problem")}}},
            "headers": headers(_SAID_WITH.get(status, {})),
        }
        for status, words in why.items()
    }


def takes(content: Mapping[str, type[BaseModel] | type[bytes]], *, required: bool = True) -> Json:
    """Media type -> shape, of a body that the route reads itself."""
    shapes = {media: {"schema": _BYTES if shape is bytes else _shape(shape)} for media, shape in content.items()}
    return {"requestBody": {"required": required, "content": shapes}}


def _shape(model: type[Any]) -> Json:
    found: Json = model.model_json_schema(ref_template=REF)
    return found


def asks(**parameters: Json) -> Json:
    """Name -> schema, of the parameters of a query that the route reads itself."""
    return {"parameters": [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]}


def streams(media: str, what: str, status: int = 200, **more: str) -> Answers:
    """An answer that is bytes; `more` are its headers. The route also says `response_class=StreamingResponse`."""
    return {
        status: {
            "description": what,
            "content": {media: {"schema": _BYTES}},
            "headers": headers({name.replace("_", "-"): words for name, words in more.items()}),
        }
    }


def headers(words: Mapping[str, str]) -> Json:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in words.items()}
