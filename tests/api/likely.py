"""Requests that are likely to be done: what the OpenAPI document cannot tell those who make requests up from it.

It says that an id is text and that bytes are bytes. Which ids lead somewhere, at which offset an upload stands and what
a video begins with is said here, operation by operation; now and then a little wrong, but never the simplest of each.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from api.population import HALF, JOBS, UPLOADS
from api.tus_client import BYTES, TUS, named
from api.wire import MIB, PASSWORD, clip
from retake.domain.presets import PRESETS
from retake.domain.recipe import LARGEST_SEED
from retake.domain.states import State
from retake_api.control import Action
from retake_api.options import PRIORITIES

Strategy = st.SearchStrategy[Any]


@dataclass(frozen=True)
class Asked:
    """What of a made-up request is replaced; the states are those of the population."""

    place: str | None = None
    """The state of what the path leads to."""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    """As `requests` takes it."""
    uploads: tuple[str, ...] = ()
    """The states of the uploads that the body names."""
    files: tuple[str, ...] = ()
    """The states of the jobs whose files the body names."""


def asked(**parts: Strategy) -> Strategy:
    return st.builds(Asked, **parts)


def some(**values: Strategy) -> Strategy:
    """Any of them."""
    return st.fixed_dictionaries({}, optional=values)


def few(values: tuple[str, ...]) -> Strategy:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3).map(tuple)


def form(parts: tuple[list[tuple[str, bytes]], object, object]) -> dict[str, Any]:
    videos, variations, options = parts
    fields = {"variations": variations, "options": json.dumps(options)}
    return {"files": [("videos", video) for video in videos], "data": fields}


def piece(ends: tuple[int, int]) -> dict[str, Any]:
    return {"data": clip()[min(ends) : max(ends)]}


NAMES = st.text(max_size=40)
VIDEOS = st.tuples(NAMES, st.integers(100, 6000).map(clip))
VARIATIONS = st.one_of(st.integers(-5, 30), st.floats(-5, 30), st.sampled_from(["", "3", None]))
OPTIONS = some(
    name=st.text(min_size=1, max_size=40),
    seed=st.integers(0, LARGEST_SEED),
    preset=st.sampled_from(list(PRESETS)),
    profile=st.sampled_from(["fast", "balanced", "best"]),
    priority=st.sampled_from(list(PRIORITIES)),
    keepSource=st.booleans(),
    callbackUrl=st.just("https://203.0.113.7/told"),
)
WRONG = st.one_of(
    st.tuples(st.just([("a.mp4", b"text")]), VARIATIONS, OPTIONS),
    st.tuples(st.just([]), VARIATIONS, OPTIONS),
    st.tuples(st.lists(VIDEOS, min_size=1, max_size=2), st.sampled_from(["x", "nan", "1e999"]), OPTIONS),
    st.tuples(
        st.lists(VIDEOS, min_size=1, max_size=2),
        VARIATIONS,
        st.sampled_from(["name", "seed", "preset", "profile", "priority", "keepSource", "callbackUrl"]).flatmap(
            lambda name: st.sampled_from([{name: "x"}, {name: ""}, {name: -1}, {name: []}, {name: "\x00"}])
        ),
    ),
)
JOB = st.sampled_from(("completed", *JOBS, "completed"))
WAITING = st.sampled_from(("queued", *JOBS))
FAILED = st.sampled_from(("failed", "cancelled", *JOBS))
UPLOAD = st.sampled_from(("open", "half", *UPLOADS))
KEYS = st.sampled_from([{}, {}, {}, {}, {"Idempotency-Key": "spring"}, {"Idempotency-Key": "summer"}])
"""Few, so that they come again; most requests have none."""
BEGUN = st.tuples(
    st.sampled_from([5000, 5000, 5000, 5000, 5001, 4999, 500 * MIB, 500 * MIB + 1, 1, 0]),
    st.one_of(
        NAMES.map(named), NAMES.map(named), st.sampled_from(["", "filename", "filename x", "private,filename YQ=="])
    ),
).map(lambda begun: {**BYTES, "Upload-Length": str(begun[0]), "Upload-Metadata": begun[1]})
CONTINUED = st.sampled_from([0, 0, 0, HALF, HALF, 4999, 5000, 5001]).map(
    lambda offset: {**BYTES, "Upload-Offset": str(offset)}
)
PIECE = st.tuples(st.sampled_from([0, 0, 0, HALF, HALF, 4999]), st.sampled_from([0, 100, HALF, 5000])).map(piece)
PARTIAL = some(
    **{
        "Range": st.one_of(
            st.tuples(st.integers(0, 1500), st.one_of(st.just(""), st.integers(0, 1500))).map(
                "bytes={0[0]}-{0[1]}".format
            ),
            st.sampled_from(["bytes=-5", "bytes=0-1,5-9", "bytes=9-1", "bytes=", "lines=1-2", f"bytes={10**30}-"]),
        ),
        "If-Range": st.sampled_from(['"x"', 'W/"x"', "Fri, 20 Nov 2026 16:00:00 GMT", "x"]),
        "If-None-Match": st.sampled_from(["*", '"x"', "x"]),
        "If-Match": st.sampled_from(["*", '"x"', "x"]),
    }
)
STATES = st.sampled_from([*(state.value for state in State), "x"])
KINDS = st.sampled_from(["variations", "catalog", "x"])
NUMBERS = st.one_of(st.integers(-1, 300), st.sampled_from(["", "1,2", "x"]))
EVENT = st.integers(-1, 1000)

CREATED = st.one_of(
    asked(headers=KEYS, body=st.tuples(st.lists(VIDEOS, min_size=1, max_size=3), VARIATIONS, OPTIONS).map(form)),
    asked(headers=KEYS, uploads=few(("finished",)), body=some(variations=VARIATIONS, options=OPTIONS)),
    asked(headers=KEYS, files=few(("queued", "processing")), body=some(variations=VARIATIONS, options=OPTIONS)),
    asked(headers=KEYS, uploads=few(UPLOADS), body=some(variations=VARIATIONS)),
    asked(headers=KEYS, files=few(JOBS), body=some(variations=VARIATIONS)),
    asked(headers=KEYS, body=WRONG.map(form)),
)
BYTES_OF_A_FILE = asked(place=JOB, headers=PARTIAL, query=some(download=st.integers(0, 1)))


def sent(values: Strategy) -> Strategy:
    """In a JSON body."""
    return values.map(lambda body: {"json": body})


_JOB = "/api/jobs/{job_id}"
_FILE = f"{_JOB}/files/{{file_id}}"
LIKELY: Mapping[str, Strategy] = {
    "POST /api/auth": asked(body=sent(st.sampled_from([{"password": PASSWORD}, {"password": "x"}]))),
    "POST /api/jobs": CREATED,
    "GET /api/jobs": asked(
        query=some(status=STATES, q=NAMES, limit=NUMBERS, kind=st.sampled_from(["variations", "x"]))
    ),
    "POST /api/uploads": asked(headers=BEGUN, body=PIECE),
    "PATCH /api/uploads/{upload_id}": asked(place=UPLOAD, headers=CONTINUED, body=PIECE),
    "DELETE /api/uploads/{upload_id}": asked(place=UPLOAD, headers=st.just(TUS)),
    f"GET {_JOB}/files": asked(place=JOB, query=some(status=STATES, page=NUMBERS, per_page=NUMBERS)),
    f"POST {_JOB}/control": asked(place=WAITING, body=sent(st.sampled_from([{"action": action} for action in Action]))),
    f"POST {_JOB}/cancel": asked(place=WAITING, body=sent(some(confirm=st.booleans(), confirmToken=NAMES))),
    f"POST {_JOB}/retry": asked(place=FAILED),
    f"POST {_FILE}/retry": asked(place=FAILED),
    f"POST {_JOB}/keep": asked(place=JOB, body=sent(st.sampled_from([{"keep": True}, {"keep": False}]))),
    f"GET {_JOB}/download": asked(place=JOB, headers=PARTIAL, query=some(variation=NUMBERS, asOf=EVENT)),
    f"GET {_FILE}/variations/{{index}}": BYTES_OF_A_FILE,
    f"GET {_FILE}/variations/{{index}}/thumbnail": BYTES_OF_A_FILE,
    f"GET {_FILE}/source": BYTES_OF_A_FILE,
    f"GET {_FILE}/thumbnail": BYTES_OF_A_FILE,
    "GET /api/events": asked(query=some(after=EVENT), headers=some(**{"Last-Event-ID": EVENT.map(str)})),
}


def likely(label: str) -> Strategy:
    """For the operation of that name."""
    return LIKELY.get(label, asked(place=JOB) if "{job_id}" in label else st.just(Asked()))
