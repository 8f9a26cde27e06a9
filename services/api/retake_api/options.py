"""What a request asks for besides its videos: how many variations, and the options that are real by now.

Numbers of variations are clamped, never refused; an option that is not listed here is refused, never ignored.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from retake.domain.options import RENDER_OPTIONS, BadOption, read_render_options
from retake.domain.recipe import LARGEST_SEED, MOST_TAKES
from retake_api.posting import Target
from retake_api.problems import Problem

FEWEST, USUAL, MOST = 1, 5, MOST_TAKES
LONGEST_NAME = 200

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


PRIORITIES = {"low": 0.25, "normal": 1.0, "high": 4.0}
"""Of the workers its workspace gets, the share of a job beside others."""
USUAL_PRIORITY = "normal"


@dataclass(frozen=True)
class Options:
    """`render` are those that say what takes look like (retake/domain/options.py)."""

    name: str | None = None
    seed: int | None = None
    priority: str | None = None
    keep_source: bool | None = None
    callback_url: str | None = None
    render: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As given: what was left out stays out."""
        own = {key: getattr(self, name) for key, (name, _) in _OWN.items()}
        return {**{key: value for key, value in own.items() if value is not None}, **self.render}

    @property
    def weight(self) -> float:
        return PRIORITIES[self.priority or USUAL_PRIORITY]

    def variations(self, wanted: int | None) -> int:
        """One of each recipe that was given; else what is wanted, or what is usual."""
        recipes = len(self.render.get("recipes", ()))
        if recipes and wanted not in (None, recipes):
            sentence = f"There are {recipes} recipes, each for one variation; leave out `variations`, or say {recipes}."
            raise Problem(422, "invalid_variations", sentence)
        return recipes or wanted or USUAL


def variations_of(given: Any) -> int | None:
    """Of a JSON value."""
    if isinstance(given, bool | list | dict):
        raise _no_number()
    return None if given is None else read_variations(str(given))


def read_variations(text: str) -> int | None:
    """None when nothing is said."""
    text = text.strip()
    if not text:
        return None
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
    allowed = sorted([*_OWN, *RENDER_OPTIONS])
    if unknown := sorted(set(given) - set(allowed)):
        raise Problem(
            422,
            "unknown_option",
            f"There is no option {json.dumps(unknown[0][:100])}; there are {', '.join(allowed)}.",
            allowed=allowed,
            errors=[{"where": f"options.{key[:100]}", "what": "unknown"} for key in unknown[:20]],
        )
    own = {name: read(given[key]) for key, (name, read) in _OWN.items() if given.get(key) is not None}
    return Options(**own, render=_render(given))


def _render(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        if given.get("recipes") is not None and given.get("seed") is not None:
            raise BadOption("options.seed", "cannot go with recipes, which have been drawn already")
        read_render_options(given)
    except BadOption as error:
        complaint = {"where": error.where, "what": str(error)}
        more: dict[str, Any] = {"allowed": error.allowed} if error.allowed else {}
        raise Problem(422, "invalid_options", str(error), headers=None, errors=[complaint], **more) from error
    return {name: given[name] for name in RENDER_OPTIONS if given.get(name) is not None}


def _refused(option: str, rule: str, **more: Any) -> Problem:
    sentence = f"The option `{option}` {rule}."
    errors = [{"where": f"options.{option}", "what": sentence}]
    return Problem(422, "invalid_options", sentence, errors=errors, **more)


def _name(given: Any) -> str:
    if not isinstance(given, str) or not 1 <= len(given) <= LONGEST_NAME or _UNSTORABLE.search(given):
        raise _refused("name", f"must be a text of 1 to {LONGEST_NAME} characters")
    return given


def _seed(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= LARGEST_SEED:
        raise _refused("seed", f"must be a whole number from 0 to {LARGEST_SEED}")
    return given


def _priority(given: Any) -> str:
    if not isinstance(given, str) or given not in PRIORITIES:
        raise _refused("priority", f"must be one of {', '.join(PRIORITIES)}", allowed=list(PRIORITIES))
    return given


def _keep_source(given: Any) -> bool:
    if not isinstance(given, bool):
        raise _refused("keepSource", "must be true or false", allowed=[True, False])
    return given


def _callback_url(given: Any) -> str:
    try:
        Target.of(str(given))
    except ValueError as error:
        raise _refused("callbackUrl", str(error)) from None
    return str(given)


_OWN: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", _name),
    "seed": ("seed", _seed),
    "priority": ("priority", _priority),
    "keepSource": ("keep_source", _keep_source),
    "callbackUrl": ("callback_url", _callback_url),
}
"""Where each is kept, and who reads it."""
