"""A request that is sent again under the same Idempotency-Key makes no second job (rule 1).

1. The key is taken at the headers, and renewed by the bytes that come; whoever comes meanwhile is told to wait.
2. Accept writes the answer into the key's row, in the transaction that makes the job, if the key is still ours.
3. Whoever comes later is read, not stored, and compared: the same request gets the same answer, another is refused.
4. A request that is refused gives its key back. One that died leaves it to lapse, and the next takes it over.
"""

import hashlib
import json
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from starlette.datastructures import Headers

from retake.store.connect import Unavailable
from retake.store.idempotency import Answered, answer_of, free_key, renew_key, take_key
from retake.store.jobs import KeyLost, KeyOwner
from retake_api.auth import Caller
from retake_api.described import Json
from retake_api.form import Part
from retake_api.incoming import Dock
from retake_api.problems import IN_FLIGHT, Problem

HEADER = "Idempotency-Key"
_KEY = re.compile("[ -~]{1,255}")
KEY_ASKED: Json = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "description": "Sent again under the same key within 24 hours, the same request is answered as the first "
            "time, and makes no second job.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "examples": ["b1f0c9e2-spring-clips"]},
        }
    ]
}
"""As the OpenAPI document has it."""

Answer = Mapping[str, Any]


class Attempt:
    """One try at a request; without a key, each is a request of its own."""

    def __init__(self, dock: Dock, caller: Caller, headers: Headers) -> None:
        self._dock, self.caller, self._key = dock, caller, read_key(headers)
        self._owner = uuid4()
        self.known: Answered | None = None
        """The request was accepted before; or another one under its key."""

    @property
    def keyed(self) -> bool:
        return self._key is not None

    async def __aenter__(self) -> Self:
        if self._key is not None:
            taken = await take_key(
                self._dock.database, self.caller.workspace, self._key, self._owner, self._dock.timing
            )
            if taken is False:
                raise IN_FLIGHT
            self.known = taken if isinstance(taken, Answered) else None
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is not None and self._key is not None and self.known is None:
            with suppress(Unavailable):  # then it lapses
                await free_key(self._dock.database, self.caller.workspace, self._key, self._owner)

    async def renewed(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body; raises KeyLost when it came so slowly that another attempt has taken over."""
        due = time.monotonic() + self._dock.timing.key_lease / 3
        async for piece in body:
            if piece and self._key is not None and time.monotonic() >= due:
                if not await renew_key(
                    self._dock.database, self.caller.workspace, self._key, self._owner, self._dock.timing
                ):
                    raise KeyLost
                due = time.monotonic() + self._dock.timing.key_lease / 3
            yield piece

    def under(self, fingerprint: str, answer: Answer) -> KeyOwner | None:
        """What accept needs, so that the key answers this."""
        return None if self._key is None else KeyOwner(self._key, self._owner, fingerprint, answer)

    async def answered(self, fingerprint: str) -> Answer:
        """The answer of the attempt that was accepted; a Problem when there is none yet, or it was another request."""
        assert self._key is not None
        known = self.known or await answer_of(self._dock.database, self.caller.workspace, self._key)
        if known is None:
            raise IN_FLIGHT
        if known.fingerprint != fingerprint:
            sentence = f"This {HEADER} was used for another request; please take a new one for each."
            raise Problem(422, "key_reused", sentence)
        return known.answer


def read_key(headers: Headers) -> str | None:
    key = headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        sentence = f"The {HEADER} must be 1 to 255 letters, digits and signs of ASCII."
        raise Problem(400, "invalid_key", sentence)
    return key


class FormPrint:
    """Tells forms apart by all they say: the bytes of each field; of each video its name, its size, its SHA-256."""

    def __init__(self) -> None:
        self._told: list[list[Any]] = []

    async def noting(self, form: AsyncIterator[Part | bytes | None]) -> AsyncIterator[Part | bytes | None]:
        """Passes the form on."""
        part, size, digest = Part("", None), 0, hashlib.sha256()
        async for event in form:
            match event:
                case Part():
                    part, size, digest = event, 0, hashlib.sha256()
                case bytes():
                    size += len(event)
                    digest.update(event)
                case None:
                    self._told.append([part.field, part.filename, size, digest.hexdigest()])
            yield event

    def value(self) -> str:
        return fingerprint(self._told)


def fingerprint(request: Any) -> str:
    """Of plain data."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
