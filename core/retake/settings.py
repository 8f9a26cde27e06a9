"""Everything retake reads from its environment, once, at start: one frozen dataclass per concern.

A variable that is malformed, missing, or named RETAKE_ and known to nobody is refused with its name and its rule; all
complaints come at once. Each may also be given as a file: RETAKE_DATABASE_URL_FILE=/run/secrets/url holds the value,
which is how a cluster mounts secrets. docs/configuration.md is generated from this module.
"""

import os
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from retake.arrivals import Uploads as Uploads  # noqa: PLC0414  one of the concerns
from retake.domain.timing import Timing
from retake.retention import Storage as Storage  # noqa: PLC0414  one of the concerns
from retake.variables import (
    NETWORK,
    PORT,
    TEXT,
    WEB_ORIGIN,
    concern,
    decimal,
    listed,
    matching,
    one_of,
    setting,
    unknown,
    url,
    value_of,
    variables,
    whole,
)
from retake.variables import SettingsError as SettingsError  # noqa: PLC0414  whoever reads settings catches it
from retake.webhooks import Webhooks as Webhooks  # noqa: PLC0414  one of the concerns
from retake.worker_settings import Videos as Videos  # noqa: PLC0414  one of the concerns
from retake.worker_settings import Worker as Worker  # noqa: PLC0414  one of the concerns

T = TypeVar("T")


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
    traces: str | None = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        url("http", "https"),
        optional=True,
        explain="Where traces are sent, by OTLP over HTTP, at /v1/traces below it. Without it there are none, and they "
        "cost nothing.",
    )
    trace_headers: str | None = setting(
        "OTEL_EXPORTER_OTLP_HEADERS",
        TEXT,
        optional=True,
        explain="Headers to send with them: name=value, several with commas between them.",
        secret=True,
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
    socket: int | None = setting(
        "RETAKE_API_SOCKET",
        whole(3, 1_000_000),
        optional=True,
        explain="The number of a listening socket that whoever starts the API hands on, instead of address and port.",
    )
    password: str = setting(
        "RETAKE_PASSWORD",
        TEXT,
        explain="The shared password people log in with, or its argon2id hash. On a laptop it is made up when missing.",
        secret=True,
    )
    keys: str | None = setting(
        "RETAKE_API_KEYS",
        TEXT,
        optional=True,
        explain="A file of API keys, one line for each, as `python -m retake key` makes them. It is read again when it "
        "changes.",
    )
    grace: int = setting(
        "RETAKE_API_GRACE",
        whole(1, 3600),
        default="1",
        explain="Seconds in which requests under way may end when the API is told to stop; then they are cut. In a "
        "cluster less than the pod's terminationGracePeriodSeconds, with what preStop takes of them.",
    )
    prefix: str = setting(
        "RETAKE_PATH_PREFIX",
        matching(r"(/[A-Za-z0-9._~-]+)*", "empty, or a path like /retake, with no / at its end"),
        default="",
        explain="The path everything is below, as people see it. A proxy may strip it or not.",
    )
    proxies: tuple[str, ...] = setting(
        "RETAKE_TRUSTED_PROXIES",
        listed(NETWORK),
        default="",
        explain="Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    origins: tuple[str, ...] = setting(
        "RETAKE_CORS_ORIGINS",
        listed(WEB_ORIGIN),
        default="",
        explain="Other sites whose pages may call the API, with a token.",
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


CONCERNS: tuple[type, ...] = (
    Postgres, Nats, Bucket, Observe, Api, Uploads, Storage, Webhooks, Worker, Videos, Clock, Laptop,
)  # fmt: skip


def read_all(cls: type[T], environ: Mapping[str, str] | None = None) -> T:
    """A dataclass whose fields are concerns, or a SettingsError with the complaints about all of them."""
    values: dict[str, Any] = {}
    complaints: dict[str, None] = {}
    for name, one in get_type_hints(cls).items():
        try:
            values[name] = read(one, environ)
        except SettingsError as error:
            complaints |= dict.fromkeys(str(error).splitlines())
    if complaints:
        raise SettingsError("\n".join(complaints))
    return cls(**values)


def read(cls: type[T], environ: Mapping[str, str] | None = None) -> T:
    """One concern from the environment, or a SettingsError with every complaint."""
    environ = os.environ if environ is None else environ
    complaints = unknown(environ, {variable.name for one in CONCERNS for variable in variables(one).values()})
    values: dict[str, Any] = {}
    for name, variable in variables(cls).items():
        try:
            values[name] = value_of(variable, environ)
        except SettingsError as error:
            complaints.append(str(error))
    if complaints:
        raise SettingsError("\n".join(complaints))
    return cls(**values)
