"""What a request asks for besides its videos: how many variations, and the options that are real by now.

Numbers of variations are clamped, never refused; an option that is not listed here is refused, never ignored.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from retake_api.problems import Problem

FEWEST, USUAL, MOST = 1, 5, 20
LARGEST_SEED = 2**53 - 1  # what every JSON reader keeps exact
LONGEST_NAME = 200

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


PRIORITIES = {"low": 0.25, "normal": 1.0, "high": 4.0}
"""Of the workers its workspace gets, the share of a job beside others."""


@dataclass(frozen=True)
class Options:
    name: str | None = None
    seed: int | None = None
    priority: str | None = None
    keep_source: bool | None = None

    def stored(self) -> dict[str, Any]:
        """As given: what was left out stays out."""
        return {key: value for key, field in _FIELDS.items() if (value := getattr(self, field)) is not None}

    @property
    def weight(self) -> float:
        return PRIORITIES[self.priority or "normal"]


def variations_of(given: Any) -> int:
    """Of a JSON value."""
    if isinstance(given, bool | list | dict):
        raise _no_number()
    return USUAL if given is None else read_variations(str(given))


def read_variations(text: str) -> int:
    text = text.strip()
    if not text:
        return USUAL
    if not _NUMBER.fullmatch(text):
        raise _no_number()
    return int(min(max(float(text), FEWEST), MOST))


def _no_number() -> Problem:
    return Problem(
        422,
        "invalid_variations",
        f"The field `variations` must be a number; {FEWEST} to {MOST} are made of each video, {USUAL} without it.",
    )


def read_options(text: str) -> Options:
    if not text.strip():
        return Options()
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    return options_of(given)


def options_of(given: Any) -> Options:
    """Of a JSON value."""
    if not isinstance(given, dict):
        raise Problem(422, "invalid_options", "The field `options` must be a JSON object.")
    allowed = sorted(_READERS)
    if unknown := sorted(set(given) - set(allowed)):
        raise Problem(
            422,
            "unknown_option",
            f"There is no option {json.dumps(unknown[0][:100])}; there are {', '.join(allowed)}.",
            allowed=allowed,
            errors=[{"where": f"options.{key[:100]}", "what": "unknown"} for key in unknown[:20]],
        )
    read = {_FIELDS[key]: _READERS[key](value) for key, value in given.items() if value is not None}
    return Options(**read)


def _name(given: Any) -> str:
    if not isinstance(given, str) or not 1 <= len(given) <= LONGEST_NAME or _UNSTORABLE.search(given):
        raise Problem(422, "invalid_options", f"The option `name` must be a text of 1 to {LONGEST_NAME} characters.")
    return given


def _seed(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= LARGEST_SEED:
        raise Problem(422, "invalid_options", f"The option `seed` must be a whole number from 0 to {LARGEST_SEED}.")
    return given


def _priority(given: Any) -> str:
    if not isinstance(given, str) or given not in PRIORITIES:
        sentence = f"The option `priority` must be one of {', '.join(PRIORITIES)}."
        raise Problem(422, "invalid_options", sentence, allowed=list(PRIORITIES))
    return given


def _keep_source(given: Any) -> bool:
    if not isinstance(given, bool):
        raise Problem(422, "invalid_options", "The option `keepSource` must be true or false.", allowed=[True, False])
    return given


_FIELDS = {"name": "name", "seed": "seed", "priority": "priority", "keepSource": "keep_source"}
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "seed": _seed,
    "priority": _priority,
    "keepSource": _keep_source,
}
"""What can be said, and who reads it."""
