"""How a setting is declared and read: a variable, the rule its value keeps, and the file it may come from instead.

Which settings there are stands in settings.py.
"""

import dataclasses
import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform
from urllib.parse import urlsplit

T = TypeVar("T")


class SettingsError(Exception):
    """The environment does not make sense; the text has one line per complaint."""


@dataclass(frozen=True)
class Rule:
    """How a variable's text becomes a value, and the words that say what it must be."""

    says: str
    parse: Callable[[str], Any]
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    """The same as JSON schema, as far as that can say it, for the chart's values."""


@dataclass(frozen=True)
class Variable:
    """One environment variable: what docs, checks and the reader know of it."""

    name: str
    rule: Rule
    explain: str
    default: str | None
    optional: bool
    secret: bool


def _refuse(text: str) -> Any:
    raise ValueError(text)


def whole(low: int, high: int) -> Rule:
    return Rule(
        f"a whole number from {low} to {high}",
        lambda text: number if low <= (number := int(text)) <= high else _refuse(text),
        {"type": "integer", "minimum": low, "maximum": high},
    )


def decimal(low: float, high: float) -> Rule:
    return Rule(
        f"a number from {low} to {high}",
        lambda text: number if low <= (number := float(text)) <= high else _refuse(text),
        {"type": "number", "minimum": low, "maximum": high},
    )


def url(*schemes: str) -> Rule:
    def parse(value: str) -> str:
        parts = urlsplit(value)
        return value if parts.scheme in schemes and parts.hostname else _refuse(value)

    return Rule(f"a URL starting with {' or '.join(scheme + '://' for scheme in schemes)}", parse)


def one_of(*words: str) -> Rule:
    says = f"one of {', '.join(words)}"
    return Rule(says, lambda value: value if value in words else _refuse(value), {"enum": [*words]})


def matching(pattern: str, says: str) -> Rule:
    schema = {"type": "string", "pattern": f"^({pattern})$"}
    return Rule(says, lambda value: value if re.fullmatch(pattern, value) else _refuse(value), schema)


def listed(one: Rule) -> Rule:
    """Any number of them."""

    def parse(value: str) -> tuple[str, ...]:
        return tuple(one.parse(word.strip()) for word in value.split(",") if word.strip())

    return Rule(f"{one.says}, several with commas between them, or empty", parse)


def _network(value: str) -> str:
    return str(ip_network(value))


def _web_origin(value: str) -> str:
    parts = urlsplit(value)
    plain = parts.scheme in ("http", "https") and value == f"{parts.scheme}://{parts.netloc}" and parts.hostname
    return value if plain else _refuse(value)


NETWORK = Rule("an address or network like 10.0.0.0/8", _network)
WEB_ORIGIN = Rule("an origin like https://example.org", _web_origin)
TEXT = matching(r"\S(.*\S)?", "text that is not empty")
PORT = whole(1, 65535)


def setting(
    name: str,
    rule: Rule,
    *,
    explain: str,
    default: str | None = None,
    optional: bool = False,
    secret: bool = False,
) -> Any:
    """A dataclass field read from `name`; without a default it is required, unless it is optional (then None)."""
    return field(metadata={"variable": Variable(name, rule, explain, default, optional, secret)})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting,))
def concern(cls: type[T]) -> type[T]:
    """Marks a dataclass whose fields are all `setting`s."""
    return dataclass(frozen=True, repr=False, kw_only=True)(cls)


# Kubernetes puts the addresses of Services into the environment of every pod: for one named retake-api that is
# RETAKE_API_PORT=tcp://10.0.0.1:80, RETAKE_API_PORT_80_TCP_ADDR and more. They are nobody's settings.
_LINK = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_LINK_VALUE = re.compile(r"(tcp|udp|sctp)://\S+:\d+")


def is_service_link(name: str, value: str) -> bool:
    return bool(_LINK.fullmatch(name) or (name.endswith("_PORT") and _LINK_VALUE.fullmatch(value)))


def variables(cls: type) -> dict[str, Variable]:
    """Field name -> variable of one concern."""
    return {item.name: item.metadata["variable"] for item in dataclasses.fields(cls)}


def value_of(variable: Variable, environ: Mapping[str, str]) -> Any:
    text = environ.get(variable.name) or None
    if text is not None and is_service_link(variable.name, text):
        text = None
    if (place := environ.get(f"{variable.name}_FILE")) is not None:
        if text is not None:
            raise SettingsError(f"{variable.name} and {variable.name}_FILE are both set; keep one.")
        try:
            text = Path(place).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable.name}_FILE names {place!r}, which cannot be read: {error}.") from error
    if text is None:
        if variable.optional:
            return None
        if variable.default is None:
            raise SettingsError(f"{variable.name} is missing; it must be {variable.rule.says}. {variable.explain}")
        text = variable.default
    try:
        return variable.rule.parse(text)
    except ValueError:
        shown = "" if variable.secret else f", not {text!r}"
        raise SettingsError(f"{variable.name} must be {variable.rule.says}{shown}.") from None


def unknown(environ: Mapping[str, str], known: Collection[str]) -> list[str]:
    """A complaint for each RETAKE_ variable that no concern reads: a misspelt setting must not pass in silence."""
    words = {name.removeprefix("RETAKE_"): name for name in known}
    complaints = []
    for name, value in sorted(environ.items()):
        if not name.startswith("RETAKE_") or name.removesuffix("_FILE") in known or is_service_link(name, value):
            continue
        near = difflib.get_close_matches(name.removeprefix("RETAKE_"), words, 1)
        hint = f"; did you mean {words[near[0]]}?" if near else "; docs/configuration.md lists those there are."
        complaints.append(f"{name} is not a setting{hint}")
    return complaints
