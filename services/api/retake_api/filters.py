"""What a list is asked for, out of a query string. What is not understood is refused with what would be.

A parameter that is there and empty is as good as absent; one that takes several values takes them repeated, or with
commas between.
"""

import base64
import binascii
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.datastructures import QueryParams

from retake.domain.states import VIDEO_STATES, State
from retake.store.views import KINDS, Page, Row, Wanted
from retake_api.described import asks
from retake_api.problems import Problem

MOST = 200
LONGEST_SEARCH = 200
LAST_PAGE = 10**9

_PLACE = {"type": "integer", "minimum": 1}
JOBS_ASKED = asks(
    status={"type": "array", "items": {"type": "string", "enum": list(State)}},
    kind={"type": "string", "examples": ["variations"]},
    q={
        "type": "string",
        "maxLength": LONGEST_SEARCH,
        "description": "What stands in the job's name, or in the name of one of its files, in upper or lower case.",
    },
    id={
        "type": "array",
        "items": {"type": "string", "format": "uuid"},
        "maxItems": MOST,
        "description": "Only these jobs, if they are there: for who was told that something happened to them.",
    },
    limit={**_PLACE, "maximum": MOST, "default": 50},
    cursor={"type": "string", "description": "From the `Link` of the page before."},
)
FILES_ASKED = asks(
    status={"type": "array", "items": {"type": "string", "enum": list(VIDEO_STATES)}},
    page={**_PLACE, "maximum": LAST_PAGE, "default": 1},
    per_page={**_PLACE, "maximum": MOST, "default": 50},
)
"""As the OpenAPI document has them."""


@dataclass(frozen=True)
class Jobs:
    wanted: Wanted
    limit: int
    before: tuple[datetime, UUID] | None


@dataclass(frozen=True)
class Files:
    states: Sequence[str]
    page: int
    per_page: int

    def asked(self) -> Page:
        return Page(states=self.states, skip=(self.page - 1) * self.per_page, most=self.per_page)


def read_jobs(query: QueryParams) -> Jobs:
    _only(query, "status", "kind", "q", "id", "limit", "cursor")
    cursor = query.get("cursor")
    return Jobs(
        Wanted(
            _several(query, "status", list(State)),
            _several(query, "kind", KINDS),
            _search(query.get("q", "")),
            _ids(query),
        ),
        limit=_whole(query, "limit", usual=50, most=MOST),
        before=read_cursor(cursor) if cursor else None,
    )


def read_files(query: QueryParams) -> Files:
    _only(query, "status", "page", "per_page")
    return Files(
        _several(query, "status", VIDEO_STATES),
        page=_whole(query, "page", usual=1, most=LAST_PAGE),
        per_page=_whole(query, "per_page", usual=50, most=MOST),
    )


def write_cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row['created_at'].isoformat()} {row['id']}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, UUID]:
    try:
        at, _, job_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise ValueError(at)
        return when, UUID(job_id)
    except (ValueError, binascii.Error):
        raise Problem(400, "invalid_cursor", "This cursor is none that a list of jobs gave.") from None


def _only(query: QueryParams, *allowed: str) -> None:
    for name in query:
        if name not in allowed:
            sentence = f"There is no parameter `{name[:100]}`; there are {_listed(allowed)}."
            raise Problem(400, "unknown_parameter", sentence, allowed=list(allowed))


def _several(query: QueryParams, name: str, allowed: Sequence[str]) -> Sequence[str]:
    """All of them when none is named."""
    asked = _values(query, name)
    for value in asked:
        if value not in allowed:
            sentence = f"`{name}` cannot be `{value[:100]}`; it can be {_listed(allowed, 'or')}."
            raise Problem(400, f"invalid_{name}", sentence, allowed=list(allowed))
    return list(dict.fromkeys(asked)) or allowed


def _ids(query: QueryParams) -> Sequence[UUID] | None:
    """All when none is named."""
    asked = _values(query, "id")
    if len(asked) > MOST:
        raise Problem(400, "invalid_id", f"At most {MOST} jobs can be named.", allowed=[f"1..{MOST} ids"])
    try:
        return [UUID(value) for value in asked] or None
    except ValueError:
        raise Problem(400, "invalid_id", "`id` must be ids of jobs.", allowed=["ids of jobs"]) from None


def _values(query: QueryParams, name: str) -> list[str]:
    return [value for text in query.getlist(name) for value in text.split(",") if value]


def _whole(query: QueryParams, name: str, *, usual: int, most: int) -> int:
    text = query.get(name, "")
    if not text:
        return usual
    if not re.fullmatch("[0-9]{1,10}", text) or not 1 <= int(text) <= most:
        sentence = f"`{name}` must be a whole number from 1 to {most}."
        raise Problem(400, f"invalid_{name}", sentence, allowed=[f"1..{most}"])
    return int(text)


def _search(text: str) -> str:
    if len(text) > LONGEST_SEARCH or "\x00" in text:
        sentence = f"`q` must be a text of at most {LONGEST_SEARCH} characters."
        raise Problem(400, "invalid_q", sentence, allowed=[f"0..{LONGEST_SEARCH} characters"])
    return text.strip()


def _listed(words: Collection[str], last: str = "and") -> str:
    *most, final = words
    return f"{', '.join(most)} {last} {final}" if most else final
