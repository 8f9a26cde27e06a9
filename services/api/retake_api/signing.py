"""Signed tokens: text that only an installation of ours can have written, for one purpose, until a moment.

    {moment}:{subject} in base64url "." HMAC-SHA-256 of purpose and all before the dot, in base64url

The key is in Postgres, so every replica knows what any of them signed. What is compared is the text itself: there is
one way to write a signature, and no altered byte passes.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Signed:
    subject: str
    expires: datetime
    """To the millisecond. Whether it is over, the database says (store/moments.py)."""


class Signer:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, purpose: str, subject: str, expires: datetime) -> str:
        body = _text(f"{int(expires.timestamp() * 1000)}:{subject}".encode())
        return f"{body}.{self._signature(purpose, body)}"

    def verify(self, purpose: str, token: str) -> Signed | None:
        """None for what was not signed here, or for another purpose."""
        body, _, signature = token.partition(".")
        if not hmac.compare_digest(self._signature(purpose, body).encode(), signature.encode("utf-8", "replace")):
            return None
        moment, _, subject = urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode().partition(":")
        return Signed(subject, datetime.fromtimestamp(int(moment) / 1000, UTC))

    def _signature(self, purpose: str, body: str) -> str:
        return _text(hmac.digest(self._key, f"{purpose}\n{body}".encode("utf-8", "replace"), "sha256"))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
