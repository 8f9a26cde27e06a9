"""Logs as JSON lines on standard output, with the ids of whatever is being worked on.

Ids (request, job, video, part, claim) are bound once with `structlog.contextvars` where they become known and stand on
every line below that point; so does the trace, while traces are on. Libraries that use `logging` come out in the same
form, and so does the error that ends a process, once, with its stack.

Secrets are never passed in. What looks like one of ours all the same is struck out of the finished line, whatever it
came in: an error's text, the address a library tells. No value is longer than a page.
"""

import json
import logging
import re
import sys
import threading
from contextlib import suppress
from types import TracebackType

import structlog

from retake import tracing

MOST = 8192
"""Characters of one value: more is cut out of its middle."""

_SECRETS = (
    (re.compile(r"rk_[A-Za-z0-9_-]{20,}"), "rk_***"),  # API keys
    (re.compile(r"whsec_[A-Za-z0-9+/=]+"), "whsec_***"),
    (re.compile(r"\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"), ".***"),  # the signature of a token; without it, it is none
    (re.compile(r"://[^/\s\"@]+@"), "://***@"),  # user and password of an address
    (re.compile(r'Failing row contains \((?:[^"\\]|\\.)*'), "Failing row ***"),  # Postgres shows all of a row
)


def configure(component: str, level: str) -> None:
    """Called once, by `entry`, before anything else is made."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        lambda _logger, _method, event: {"component": component, **event},
    ]
    if tracing.on():
        shared.append(_traced)
    structlog.configure(
        processors=[*shared, rendered],
        logger_factory=Output,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


def rendered(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    """One line, whatever is in it: JSON escapes line ends and all that is not ASCII."""
    for name, value in event.items():
        if isinstance(value, str) and len(value) > MOST:
            event[name] = f"{value[: MOST // 2]} ... {value[-MOST // 2 :]}"
    line = json.dumps(event, default=repr)
    for secret, shown in _SECRETS:
        line = secret.sub(shown, line)
    return line


def _traced(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    trace = tracing.trace()
    return event if trace is None else {**event, "trace": trace}


class Output:
    """What structlog writes to: one line in one piece. By way of `logging` it would cost twice as much. A full disk, or
    a reader that left, costs the line and not the work."""

    def __init__(self, name: str | None = None) -> None:
        self.name = name

    def msg(self, line: str) -> None:
        with suppress(OSError):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    debug = info = warning = error = critical = msg


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    logger("retake").critical("uncaught", exc_info=(kind, error, trace))
