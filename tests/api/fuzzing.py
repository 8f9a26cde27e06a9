"""Requests made up from the OpenAPI document (schemathesis), right ones and wrong ones, to a real server.

What may come back stands in the document: no server error, no status, media type, body or header that it does not name.
Half the requests go to a job that is there. Streams of events do not end: of these only the beginning is looked at.
"""

from collections.abc import Mapping
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation

from api.wire import clip

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
schemathesis.openapi.format("binary", st.one_of(st.just(clip()), st.binary(max_size=100)))
_UNSENDABLE = (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError)
"""What no client sends."""


class Fuzzing:
    """Counts what was asked and answered, by operation and status."""

    def __init__(self, described: Mapping[str, Any], url: str, token: str, real: Mapping[str, str]) -> None:
        self._schema = schemathesis.openapi.from_dict(dict(described))
        self._url, self._real = url, real
        self._headers = {"Authorization": f"Bearer {token}"}
        self.answers: dict[str, dict[int, int]] = {}

    def run(self, examples: int, number: int) -> None:
        """So many per operation, the same ones for the same number. Raises what is wrong with the first bad answer."""
        with requests.Session() as session:
            operations = [found.ok() for found in self._schema.get_all_operations()]
            for operation in sorted(
                operations, key=lambda one: one.method == "delete"
            ):  # what is there, stays till then
                self._ask(operation, examples, number, session)

    def _ask(self, operation: APIOperation, examples: int, number: int, session: requests.Session) -> None:
        counted = self.answers.setdefault(operation.label, {})

        @seed(number)
        @settings(
            max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=self._cases(operation))
        def ask(case: Case) -> None:
            try:
                sent = case.as_transport_kwargs(self._url, self._headers)
                with session.request(**sent, stream=True, timeout=20) as response:
                    counted[response.status_code] = counted.get(response.status_code, 0) + 1
                    if response.headers.get("Content-Type", "").startswith("text/event-stream"):
                        assert response.status_code == 200
                    else:
                        case.validate_response(response, checks=_CHECKS)
            except _UNSENDABLE:
                return

        ask()

    def _cases(self, operation: APIOperation) -> st.SearchStrategy[Case]:
        names = {one.name for one in operation.path_parameters}
        there = {name: value for name, value in self._real.items() if name in names}
        return st.one_of(
            [
                operation.as_strategy(mode, **({"path_parameters": place} if place else {}))
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
                for place in ([there, None] if there else [None])
            ]
        )
