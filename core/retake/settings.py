"""Everything retake reads from its environment, once, at start: one frozen dataclass per concern.

A variable that is malformed, missing, or named RETAKE_ and known to nobody is refused with its name and its rule; all
complaints come at once. Each may also be given as a file: RETAKE_DATABASE_URL_FILE=/run/secrets/url holds the value,
which is how a cluster mounts secrets. docs/configuration.md is generated from this module.
"""

import dataclasses
import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform
from urllib.parse import urlsplit

from retake.domain.timing import Timing

T = TypeVar("T")


class SettingsError(Exception):
    """The environment does not make sense; the text has one line per complaint."""


@dataclass(frozen=True)
class Rule:
    """How a variable's text becomes a value, and the words that say what it must be."""

    says: str
    parse: Callable[[str], Any]


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
    )


def decimal(low: float, high: float) -> Rule:
    return Rule(
        f"a number from {low} to {high}",
        lambda text: number if low <= (number := float(text)) <= high else _refuse(text),
    )


def url(*schemes: str) -> Rule:
    def parse(value: str) -> str:
        parts = urlsplit(value)
        return value if parts.scheme in schemes and parts.hostname else _refuse(value)

    return Rule(f"a URL starting with {' or '.join(scheme + '://' for scheme in schemes)}", parse)


def one_of(*words: str) -> Rule:
    return Rule(f"one of {', '.join(words)}", lambda value: value if value in words else _refuse(value))


def matching(pattern: str, says: str) -> Rule:
    return Rule(says, lambda value: value if re.fullmatch(pattern, value) else _refuse(value))


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


@concern
class Postgres:
    """The database: the only truth."""

    url: str = setting(
        "RETAKE_DATABASE_URL",
        url("postgresql", "postgres"),
        explain="Where Postgres is, with user, password and database.",
        secret=True,
    )
    pool: int = setting(
        "RETAKE_DATABASE_POOL", whole(1, 100), default="10", explain="The most connections one process opens."
    )


@concern
class Nats:
    """The bus: hints that say "look at this part"."""

    url: str = setting(
        "RETAKE_NATS_URL",
        url("nats", "tls"),
        explain="Where NATS is, with its token or user: nats://token@host:4222.",
        secret=True,
    )
    stream: str = setting(
        "RETAKE_NATS_STREAM",
        matching(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, - or _"),
        default="retake",
        explain="The JetStream stream; its subjects start with this name.",
    )


@concern
class Bucket:
    """The object store: bytes, immutable once written."""

    endpoint: str = setting(
        "RETAKE_S3_ENDPOINT", url("http", "https"), explain="The S3-compatible endpoint, without a path."
    )
    access_key: str = setting("RETAKE_S3_ACCESS_KEY", TEXT, explain="Access key.", secret=True)
    secret_key: str = setting("RETAKE_S3_SECRET_KEY", TEXT, explain="Secret key.", secret=True)
    name: str = setting(
        "RETAKE_S3_BUCKET",
        matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "an S3 bucket name"),
        default="retake",
        explain="The bucket; made at start when it does not exist.",
    )
    region: str = setting("RETAKE_S3_REGION", TEXT, default="us-east-1", explain="The region to sign for.")
    prefix: str = setting(
        "RETAKE_S3_PREFIX",
        matching(r"([a-z0-9-]+/)*", "path parts of a-z, 0-9 or -, each followed by /"),
        default="",
        explain="Put before every key, to share a bucket.",
    )


@concern
class Observe:
    """What every process tells of itself."""

    log_level: str = setting(
        "RETAKE_LOG_LEVEL",
        one_of("debug", "info", "warning", "error"),
        default="info",
        explain="The least level that is logged.",
    )
    host: str = setting(
        "RETAKE_METRICS_HOST",
        TEXT,
        default="0.0.0.0",  # noqa: S104  a pod listens on all its addresses
        explain="The address of the metrics and probe port.",
    )
    port: int = setting(
        "RETAKE_METRICS_PORT",
        PORT,
        default="9090",
        explain="Serves /metrics, /livez and /readyz; never behind the ingress.",
    )


@concern
class Api:
    """The HTTP service."""

    host: str = setting(
        "RETAKE_API_HOST",
        TEXT,
        default="0.0.0.0",  # noqa: S104  a pod listens on all its addresses
        explain="The address the API listens on.",
    )
    port: int = setting("RETAKE_API_PORT", PORT, default="8080", explain="The port the API listens on.")
    password: str = setting(
        "RETAKE_PASSWORD",
        TEXT,
        explain="The shared password people log in with. On a laptop it is made up when missing.",
        secret=True,
    )


@concern
class Worker:
    """The worker."""

    name: str | None = setting(
        "RETAKE_WORKER_NAME",
        matching(r"[A-Za-z0-9._-]{1,100}", "1 to 100 letters, digits, dots, - or _"),
        optional=True,
        explain="Who claims; in a cluster the pod's name. Else host name and process id.",
    )
    slots: int = setting("RETAKE_WORKER_SLOTS", whole(1, 64), default="1", explain="Parts worked on at once.")
    scratch: str | None = setting(
        "RETAKE_SCRATCH",
        TEXT,
        optional=True,
        explain="The folder for files in work. Else the system's temporary one.",
    )


@concern
class Clock:
    """How fast retake's own time runs."""

    scale: float = setting(
        "RETAKE_TIME_SCALE",
        decimal(0.01, 1),
        default="1",
        explain="Multiplies every lease and timer; below 1 only to test faults quickly.",
    )

    def timing(self) -> Timing:
        return Timing.scaled(self.scale)


@concern
class Laptop:
    """`make run` only."""

    port: int | None = setting(
        "RETAKE_PORT",
        PORT,
        optional=True,
        explain="The port people open. Else 8080 if it is free, else a free one. One that is taken is refused.",
    )
    data: str = setting("RETAKE_DATA", TEXT, default=".run", explain="The folder that holds everything.")
    workers: int | None = setting(
        "RETAKE_WORKERS", whole(0, 64), optional=True, explain="How many workers run. Else one per core."
    )


CONCERNS: tuple[type, ...] = (Postgres, Nats, Bucket, Observe, Api, Worker, Clock, Laptop)

# Kubernetes puts the addresses of Services into every pod's environment: RETAKE_API_PORT_80_TCP and the like.
_SERVICE_LINK = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)")


def variables(cls: type) -> dict[str, Variable]:
    """Field name -> variable of one concern."""
    return {item.name: item.metadata["variable"] for item in dataclasses.fields(cls)}


def read(cls: type[T], environ: Mapping[str, str] | None = None) -> T:
    """One concern from the environment, or a SettingsError with every complaint."""
    environ = os.environ if environ is None else environ
    complaints = unknown(environ)
    values: dict[str, Any] = {}
    for name, variable in variables(cls).items():
        try:
            values[name] = _value(variable, environ)
        except SettingsError as error:
            complaints.append(str(error))
    if complaints:
        raise SettingsError("\n".join(complaints))
    return cls(**values)


def _value(variable: Variable, environ: Mapping[str, str]) -> Any:
    text = environ.get(variable.name) or None
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


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A complaint for each RETAKE_ variable that no concern reads: a misspelt setting must not pass in silence."""
    known = {variable.name for cls in CONCERNS for variable in variables(cls).values()}
    complaints = []
    for name in sorted(environ):
        if not name.startswith("RETAKE_") or name.removesuffix("_FILE") in known or _SERVICE_LINK.fullmatch(name):
            continue
        near = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {near[0]}?" if near else "; docs/configuration.md lists those there are."
        complaints.append(f"{name} is not a setting{hint}")
    return complaints
