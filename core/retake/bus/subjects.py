"""Every subject, the stream and its consumer, in one table.

| subject                              | kept       | what                                                |
|--------------------------------------|------------|-----------------------------------------------------|
| {stream}.parts.{kind}                | the stream | PartAnnounced: look at this part; inspect or render |
| {stream}.progress.{workspace}.{job}  | nowhere    | ProgressTick: this far                              |
| {stream}.wake                        | nowhere    | nothing in it: the relay should look now            |

All begin with the stream's name, so one permission and one `nats sub 'retake.>'` cover everything; the stream takes the
parts only. All workers share one consumer: whoever asks next gets the next message.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nats.js.api import AckPolicy, DeliverPolicy, DiscardPolicy, ReplayPolicy, RetentionPolicy, StorageType

from retake.domain.timing import Timing

CONSUMER = "workers"
DEDUPE_WINDOW = 120.0

# What a server does not let anybody change in place.
FIXED = frozenset({"retention", "storage", "ack_policy", "deliver_policy", "replay_policy", "deliver_subject"})

_TOKEN = re.compile(r"[A-Za-z0-9_-]+|\*")


@dataclass(frozen=True)
class Subjects:
    stream: str

    def part(self, kind: str = "*") -> str:
        return f"{self.stream}.parts.{_token(kind)}"

    def progress(self, workspace_id: str = "*", job_id: str = "*") -> str:
        return f"{self.stream}.progress.{_token(workspace_id)}.{_token(job_id)}"

    def wake(self) -> str:
        return f"{self.stream}.wake"

    def next_message(self) -> str:
        """Where JetStream takes requests for the consumer's next message."""
        return f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{CONSUMER}"


def _token(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} cannot stand in a subject")
    return text


def stream_table(subjects: Subjects, timing: Timing) -> Mapping[str, Any]:
    """A queue of hints: each is gone once it was acknowledged, and none outlives its use.

    An announced part is announced again within reannounce_most, so a hint of twice that age has a younger twin. When
    the stream is full, the oldest goes. There is no limit in bytes, because that much would be set aside on the server.
    """
    max_age = 2 * timing.reannounce_most
    return {
        "name": subjects.stream,
        "description": "retake: parts to look at; only hints, so nothing is lost with them",
        "subjects": [subjects.part()],
        "retention": RetentionPolicy.WORK_QUEUE,
        "storage": StorageType.FILE,
        "discard": DiscardPolicy.OLD,
        "max_age": max_age,
        "max_msgs": 10_000,
        "max_msg_size": 8192,
        "duplicate_window": min(DEDUPE_WINDOW, max_age),
    }


def consumer_table(timing: Timing) -> Mapping[str, Any]:
    """Delivered until acknowledged, however often: a limit on deliveries would strand messages in a work queue."""
    return {
        "name": CONSUMER,
        "durable_name": CONSUMER,
        "description": "retake: all workers",
        "deliver_policy": DeliverPolicy.ALL,
        "deliver_subject": None,
        "replay_policy": ReplayPolicy.INSTANT,
        "ack_policy": AckPolicy.EXPLICIT,
        "ack_wait": timing.ack_wait,
        "max_deliver": -1,
        "max_ack_pending": 1000,
    }
