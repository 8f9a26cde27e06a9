"""Makes the stream and its consumer what subjects.py says: made when missing, mended where they differ.

Only the fields in those tables are retake's. What else an operator set (replicas, placement) stays as it is.
"""

import math
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import structlog
from nats.js.api import Base, ConsumerConfig, StreamConfig
from nats.js.manager import JetStreamManager

from retake.bus.errors import BusMisconfigured, BusMissing
from retake.bus.line import asked
from retake.bus.subjects import FIXED

log = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")


async def ensure(server: JetStreamManager, stream: Mapping[str, Any], consumer: Mapping[str, Any]) -> None:
    """Any number of processes may do this at once: all of them want the same."""
    name = stream["name"]
    has_stream = await _found(server.stream_info(name))
    if has_stream is None:
        await asked(server.add_stream(StreamConfig(**stream)))
        log.info("stream made", stream=name)
    elif changes := _changes(f"stream {name}", has_stream.config, stream):
        await asked(server.update_stream(has_stream.config.evolve(**changes)))
        log.info("stream mended", stream=name, fields=sorted(changes))
    has_consumer = await _found(server.consumer_info(name, consumer["name"]))
    if has_consumer is None:
        await asked(server.add_consumer(name, ConsumerConfig(**consumer)))
        log.info("consumer made", stream=name)
    elif changes := _changes(f"consumer {consumer['name']} of stream {name}", has_consumer.config, consumer):
        await asked(server.add_consumer(name, has_consumer.config.evolve(**changes)))
        log.info("consumer mended", stream=name, fields=sorted(changes))


async def _found(question: Awaitable[T]) -> T | None:
    try:
        return await asked(question)
    except BusMissing:
        return None


def _changes(what: str, found: Base, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The fields to set, and to what; one that no server changes in place is refused."""
    changes = {field: value for field, value in wanted.items() if not _same(getattr(found, field), value)}
    for field in sorted(FIXED & changes.keys()):
        raise BusMisconfigured(
            f"The {what} has {field} {_shown(getattr(found, field))} and retake needs {_shown(wanted[field])}, which "
            "no server changes in place. Delete it, and retake makes it anew: it holds only hints, so nothing is lost."
        )
    return changes


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and found is not None:
        return math.isclose(found, wanted, abs_tol=1e-6)
    return bool(found == wanted)


def _shown(value: Any) -> str:
    return str(getattr(value, "value", value))
