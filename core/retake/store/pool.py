"""Connections that are shared: each is had by one transaction at a time, and the last one used is the next.

A connection that died with its server can be seen from here: its socket has something to read. So after Postgres was
away nobody pays for the dead ones. Who finds none to use makes a new one, and while Postgres is away one of those who
wait knocks for all of them, several times a second until their patience is over: its return is noticed at once, however
long it was gone. (psycopg_pool doubles its pauses, for connections as for checks: with a handful of dead connections an
idle process took ten seconds to find out that Postgres had been back for nine.)
"""

import asyncio
import select
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

Connection = AsyncConnection[DictRow]

_REST = 0.2
_IDLE_MOST, _LIFE_MOST = 60.0, 1800.0


class NoConnection(Exception):
    """There was none in time; the text says why."""


@dataclass
class _Kept:
    connection: Connection
    born: float
    used: float


class Pool:
    def __init__(self, url: str, options: Mapping[str, Any], size: int) -> None:
        self._url, self._options = url, options
        self._places = asyncio.Semaphore(size)
        self._knocking = asyncio.Lock()
        self._idle: list[_Kept] = []
        self._trouble = "all are in use"
        self._closed = False

    @asynccontextmanager
    async def connection(self, patience: float) -> AsyncIterator[Connection]:
        """Raises NoConnection when patience is over."""
        kept = await self._take(patience)
        try:
            yield kept.connection
        finally:
            try:
                await self._take_back(kept)
            finally:
                self._places.release()

    async def close(self) -> None:
        """Those that are in use are closed as they come back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().connection.close()

    async def _take(self, patience: float) -> _Kept:
        try:
            async with asyncio.timeout(patience):
                await self._places.acquire()
                try:
                    return await self._next()
                except BaseException:
                    self._places.release()
                    raise
        except TimeoutError:
            raise NoConnection(f"no connection within {patience:g} s: {self._trouble}") from None

    async def _next(self) -> _Kept:
        if living := await self._living():
            return living
        async with self._knocking:
            while True:
                if living := await self._living():  # given back while we waited
                    return living
                try:
                    connection = await AsyncConnection[DictRow].connect(self._url, **self._options)
                except psycopg.OperationalError as error:
                    self._trouble = str(error)
                    await asyncio.sleep(_REST)
                    continue
                self._trouble = "all are in use"
                return _Kept(connection, time.monotonic(), time.monotonic())

    async def _living(self) -> _Kept | None:
        while self._idle:
            kept = self._idle.pop()
            if not _is_dead(kept.connection):
                return kept
            await kept.connection.close()
        return None

    async def _take_back(self, kept: _Kept) -> None:
        """Only one that is fit for the next; those that nobody used for long are closed."""
        now = kept.used = time.monotonic()
        fit = not kept.connection.closed and kept.connection.info.transaction_status == TransactionStatus.IDLE
        if fit and not self._closed and now - kept.born < _LIFE_MOST:
            self._idle.append(kept)
        else:
            await kept.connection.close()
        while self._idle and now - self._idle[0].used > _IDLE_MOST:
            await self._idle.pop(0).connection.close()


def _is_dead(connection: Connection) -> bool:
    """Nothing comes unasked over a connection that is idle, but its end."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
