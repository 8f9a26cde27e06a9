"""Requests made up from the OpenAPI document (schemathesis), right ones and wrong ones, to a real server.

What may come back stands in the document: no server error, no status, media type, body or header that it does not name.
Half of the requests may well be done (likely.py): they go to jobs and uploads that are there, in every state.
Streams of events do not end: of these only the beginning is looked at.
"""

from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import schemathesis
from anyio import from_thread
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation

from api.likely import Asked, likely
from api.population import Population
from api.tus_client import TUS
from api.wire import PASSWORD, clip
from retake_api.auth import COOKIE

load_all_checks()
_CHECKS = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "response_headers_conformance",
    ]
)
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
schemathesis.openapi.format("binary", st.one_of(st.builds(clip), st.binary(max_size=100)))
_UNSENDABLE = (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError)
"""What no client sends."""
_MEMBERS = ("key", "key", "session", "page")
_CALLERS = (*_MEMBERS * 5, "reader", "elsewhere", "stranger", "nobody")

Made = tuple[Case, Asked, str]
"""A request, what of it is replaced, and who sends it."""


class Fuzzing:
    """Counts what was asked and answered, by operation and status."""

    def __init__(self, described: Mapping[str, Any], url: str, key: str, reader: str, population: Population) -> None:
        """`key` may do everything, `reader` only look."""
        self._schema = schemathesis.openapi.from_dict(dict(described))
        self._url, self._key, self._reader, self._population = url, key, reader, population
        self._client = requests.Session()
        self._client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._token = ""
        self.answers: dict[str, dict[int, int]] = {}

    def run(self, examples: int, number: int) -> None:
        """So many per operation, the same ones for the same number. Raises what is wrong with the first bad answer."""
        with self._client:
            for found in self._schema.get_all_operations():
                operation = found.ok()
                counted = self.answers.setdefault(operation.label, {})
                for made in (_well(operation), _anyhow(operation)):
                    self._ask(made, examples // 2, number, counted)

    def _ask(self, made: st.SearchStrategy[Made], examples: int, number: int, counted: dict[int, int]) -> None:
        @seed(number)
        @settings(
            max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(made)
        def ask(one: Made) -> None:
            try:
                status = self._answer(*one)
            except _UNSENDABLE:
                return
            counted[status] = counted.get(status, 0) + 1

        ask()

    def _answer(self, case: Case, asked: Asked, caller: str) -> int:
        sent = self._sent(case, asked, caller)
        with self._client.request(**sent, stream=True, timeout=20) as response:
            if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                assert response.status_code == 200
                return 200
            case.validate_response(response, checks=_CHECKS)
            status = response.status_code
        if (case.method, case.path, status) == ("DELETE", "/api/auth", 204):
            self._token = ""
        if asked.place is not None and case.method != "GET" and status < 400:
            self._population.left(asked.place)
        if case.method == "GET":
            self._ask_for_the_head(sent, status)
        return status

    def _ask_for_the_head(self, sent: dict[str, Any], status: int) -> None:
        """It answers as GET did, but that no range is given of it."""
        with self._client.request(**{**sent, "method": "HEAD"}, timeout=20) as head:
            assert head.content == b""
            assert head.status_code == (200 if status in (206, 416) else status), f"HEAD of {sent}"

    def _sent(self, case: Case, asked: Asked, caller: str) -> dict[str, Any]:
        """As `requests` takes it."""
        if asked.place is not None:
            case.path_parameters = from_thread.run(self._population.place, asked.place)
        sent = case.as_transport_kwargs(self._url)
        headers = CaseInsensitiveDict(sent["headers"])
        if caller in _MEMBERS:
            headers.pop("Authorization", None)
        if body := self._body(asked):
            headers.pop("Content-Type", None)
            sent = {name: value for name, value in sent.items() if name not in ("data", "files", "json")} | body
        if asked.query:
            sent["params"] = asked.query
        sent["headers"] = {**headers, **asked.headers, **self._shown(caller)}
        return sent

    def _body(self, asked: Asked) -> Mapping[str, Any]:
        if asked.uploads:
            uploads = [str(from_thread.run(self._population.upload, state)) for state in asked.uploads]
            return {"json": {**asked.body, "uploads": uploads}}
        if asked.files:
            places = [from_thread.run(self._population.place, state) for state in asked.files]
            files = [{"jobId": place["job_id"], "fileId": place["file_id"]} for place in places]
            return {"json": {**asked.body, "fromFiles": files}}
        return asked.body

    def _shown(self, caller: str) -> dict[str, str]:
        """What tells who sends it."""
        if not self._token:
            answer = self._client.post(f"{self._url}/api/auth", json={"password": PASSWORD})
            self._token = answer.json()["token"]
        cookie = f"{COOKIE}={self._token}"
        return {
            "key": {"Authorization": f"Bearer {self._key}"},
            "reader": {"Authorization": f"Bearer {self._reader}"},
            "session": {"Authorization": f"Bearer {self._token}"},
            "page": {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"},
            "elsewhere": {"Cookie": cookie, "Sec-Fetch-Site": "cross-site"},
            "stranger": {"Authorization": "Bearer x"},
            "nobody": {},
        }[caller]


def _well(operation: APIOperation) -> st.SearchStrategy[Made]:
    """Requests that may well be done."""
    case = operation.as_strategy(GenerationMode.POSITIVE, **_there(operation))
    members = ("session", "page") if operation.label == "DELETE /api/auth" else _MEMBERS
    return st.tuples(case, likely(operation.label), st.sampled_from(members))


def _anyhow(operation: APIOperation) -> st.SearchStrategy[Made]:
    """Requests that the document allows or forbids, to what is there and to what is not."""
    there = _there(operation)
    place = {"place": "open" if "upload_id" in operation.path else "completed"}
    tus = operation.path.startswith("/api/uploads")
    return st.one_of(
        [
            st.tuples(operation.as_strategy(mode, **leads), st.just(Asked(**to, **spoken)), st.sampled_from(_CALLERS))
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
            for leads, to in ([({}, {}), (there, place)] if there else [({}, {})])
            for spoken in ([{"headers": TUS}, {}] if tus else [{}])
        ]
    )


def _there(operation: APIOperation) -> dict[str, Any]:
    """For the path parameters, which are put in when it is sent."""
    names = [one.name for one in operation.path_parameters]
    return {"path_parameters": dict.fromkeys(names, "there")} if names else {}
