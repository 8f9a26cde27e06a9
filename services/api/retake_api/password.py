"""The shared password: known only by its argon2id hash, and looked at in a few threads of its own.

The setting is the password, or an argon2id hash of it. A password is hashed once, at start, with a salt of the
installation's own, so every replica comes to the same hash: its fingerprint, which sessions are bound to.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from argon2.exceptions import VerificationError
from argon2.low_level import Type, hash_secret, verify_secret

_HASHED = "$argon2id$"
_COST = {"time_cost": 2, "memory_cost": 19 * 1024, "parallelism": 1, "hash_len": 32}  # 19 MiB, some 30 ms
_THREADS = 2
_MOST_WAITING = 16


class Busy(Exception):
    """Too many passwords wait to be looked at."""


class Password:
    def __init__(self, setting: str, salt: bytes) -> None:
        hashed = setting.encode("utf-8", "surrogatepass")
        if not setting.startswith(_HASHED):
            hashed = hash_secret(hashed, hashlib.sha256(b"password" + salt).digest(), type=Type.ID, **_COST)
        self.hashed = hashed.decode()
        self.fingerprint = hashlib.sha256(hashed).digest()
        self._threads = ThreadPoolExecutor(_THREADS, "password")
        self._waiting = 0

    @contextmanager
    def queued(self) -> Iterator[None]:
        """A place in the queue of those whose password is looked at. Raises Busy instead of letting many wait."""
        if self._waiting >= _THREADS + _MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def matches(self, given: str) -> bool:
        """For any text JSON can carry, half surrogate pairs included."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._same, given)

    def _same(self, given: str) -> bool:
        try:
            return verify_secret(self.hashed.encode(), given.encode("utf-8", "surrogatepass"), Type.ID)
        except VerificationError:
            return False
