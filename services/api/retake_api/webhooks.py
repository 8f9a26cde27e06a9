"""Webhooks: what happened to a job, sent to the `callbackUrl` it was submitted with, signed, until it arrives.

Each replica takes what is due and sends it; what fails is tried again for a day. The form is that of Standard Webhooks:
`webhook-id` stays the same through all tries, `webhook-signature` covers it, the time and the body. `sequence` counts a
job's messages, for they may overtake each other.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import structlog

from retake import tracing
from retake.domain.timing import Timing
from retake.metrics import WEBHOOKS
from retake.settings import Webhooks
from retake.store import deliveries
from retake.store.connect import Database, Unavailable
from retake.store.deliveries import Delivery, take_due
from retake_api.live import in_public
from retake_api.posting import PATIENCE, Forbidden, NotSent, Target, post

log = structlog.stdlib.get_logger(__name__)

AT_ONCE = 8
_GONE = 410


def signature(secret: str, message: str, sent_at: int, body: bytes) -> str:
    """By https://www.standardwebhooks.com; `secret` is base64, with `whsec_` before it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message}.{sent_at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"


def message_id(delivery: UUID) -> str:
    return f"msg_{delivery.hex}"


def message_type(kind: str, body: Mapping[str, Any]) -> str:
    return f"{'file' if kind == 'video' else kind}.{body['status']}"


def payload(delivery: Delivery) -> bytes:
    """The same bytes at every try."""
    told = {
        "type": message_type(delivery.kind, delivery.body),
        "timestamp": delivery.at.isoformat(),
        "sequence": delivery.number,
        "data": in_public(delivery.job, delivery.body),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


class Sender:
    def __init__(self, database: Database, timing: Timing, settings: Webhooks) -> None:
        self._database, self._timing = database, timing
        self._secret, self.patience = settings.secret, PATIENCE
        self._networks = [ip_network(one) for one in settings.networks]

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            taken = 0
            try:
                taken = await self.run_once()
            except Unavailable as error:
                log.warning("webhooks cannot be sent now", error=str(error))
            if not taken:
                await asyncio.sleep(self._timing.announce_poll)

    async def run_once(self) -> int:
        """Sends what is due, some at a time; returns how many."""
        if self._secret is None:
            return 0
        due = await take_due(self._database, AT_ONCE)
        ended = await asyncio.gather(*(self._send(self._secret, one) for one in due), return_exceptions=True)
        for error in ended:
            if error is not None:
                raise error
        return len(due)

    async def _send(self, secret: str, delivery: Delivery) -> None:
        name, sent_at, body = message_id(delivery.id), int(time.time()), payload(delivery)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "retake",
            "webhook-id": name,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signature(secret, name, sent_at, body),
        }
        with tracing.span(
            "webhook", parent=delivery.traceparent, kind="client", job=delivery.job, delivery=delivery.id
        ) as span:
            try:
                status = await post(Target.of(delivery.url), body, headers, self._networks, self.patience)
            except Forbidden as error:
                span.fail("refused")
                await self._refused(delivery, None, str(error))
            except NotSent as error:
                span.fail("not sent")
                await self._failed(delivery, None, str(error))
            else:
                span.tell(**{"http.response.status_code": status})
                if not 200 <= status < 300:
                    span.fail(str(status))
                await self._answered(delivery, status)

    async def _answered(self, delivery: Delivery, status: int) -> None:
        if 200 <= status < 300:
            WEBHOOKS.labels("delivered").inc()
            log.info("a webhook arrived", delivery=str(delivery.id), job=str(delivery.job), status=status)
            await deliveries.delivered(self._database, delivery.id, status)
        elif status == _GONE:
            await self._refused(delivery, status, "the receiver wants no more of them")
        elif 300 <= status < 400:
            await self._refused(delivery, status, "the receiver redirects, and redirects are not followed")
        else:
            await self._failed(delivery, status, f"the receiver answered {status}")

    async def _refused(self, delivery: Delivery, status: int | None, why: str) -> None:
        WEBHOOKS.labels("refused").inc()
        log.warning("a webhook is not sent", delivery=str(delivery.id), job=str(delivery.job), because=why)
        await deliveries.refused(self._database, delivery.id, status, why)

    async def _failed(self, delivery: Delivery, status: int | None, why: str) -> None:
        log.info("a webhook did not arrive", delivery=str(delivery.id), job=str(delivery.job), because=why)
        again = await deliveries.failed(self._database, delivery.id, status, why)
        WEBHOOKS.labels("failed" if again else "given_up").inc()
