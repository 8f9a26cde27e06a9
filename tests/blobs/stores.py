"""Stores for these tests: one that may be killed, and one that misbehaves as told."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from retake.settings import Bucket
from retake_local import servers
from retake_local.child import Child


class OwnStore:
    """A real store of one test's own, on one port and one folder, to be killed and started again."""

    def __init__(self, data: Path) -> None:
        (data / "logs").mkdir()
        self._data = data
        self._program, endpoint = servers.s3(data, "accesskey", "secretkey", servers.free_port())
        self._child: Child
        self.settings = Bucket(
            endpoint=endpoint,
            access_key="accesskey",
            secret_key="secretkey",
            name="own",
            region="us-east-1",
            prefix="",
        )

    async def start(self) -> None:
        self._child = Child(self._program, self._data / "logs", lambda _words: None)
        await self._child.start()

    async def kill(self) -> None:
        """kill -9, and nobody starts it again."""
        os.kill(self._child.pid, signal.SIGKILL)
        await self._child.stop()

    async def stop(self) -> None:
        await self._child.stop()


class FaultyStore:
    """An HTTP server that has the bucket, and otherwise answers as a test says.

    `behave` gets the method, the target and the writer; when it returns False the connection is closed.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.connections = 0
        self.asked = asyncio.Event()
        self.hung_up = asyncio.Event()
        self.go_on = asyncio.Event()
        self.has_bucket = True
        self.pauses: Iterator[float] = iter(())  # before each 256 KiB of a body
        self.behave: Callable[[str, str, asyncio.StreamWriter], Awaitable[bool | None]] = self.answers(b"")
        self.settings: Bucket
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        listening.bind(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._serve, sock=listening)
        self.settings = Bucket(
            endpoint=f"http://127.0.0.1:{listening.getsockname()[1]}",
            access_key="accesskey",
            secret_key="secretkey",
            name="faulty",
            region="us-east-1",
            prefix="",
        )

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def answers(self, reply: bytes) -> Callable[[str, str, asyncio.StreamWriter], Awaitable[None]]:
        """To behave by saying the same to everybody."""

        async def behave(_method: str, _target: str, writer: asyncio.StreamWriter) -> None:
            writer.write(reply)

        return behave

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._one(reader, writer) is not False:
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hung_up.set()
        except asyncio.CancelledError:
            return  # the end of the test
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target = head.split(" ")[:2]
        due = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
        while due:
            due -= len(await reader.readexactly(min(due, 2**18)))
            await asyncio.sleep(next(self.pauses, 0))
        if method == "HEAD" and target == "/faulty":
            writer.write(reply(200 if self.has_bucket else 404))
            return None
        self.requests.append(f"{method} {target}")
        self.asked.set()
        return await self.behave(method, target, writer)


def reply(status: int, body: bytes = b"", length: int | None = None, **headers: str) -> bytes:
    """An HTTP answer; `length` may promise more than `body` holds."""
    fields = {"Content-Length": str(len(body) if length is None else length), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


def s3_error(status: int, code: str, content_type: str = "application/xml") -> bytes:
    return reply(status, f"<Error><Code>{code}</Code></Error>".encode(), Content_Type=content_type)


def connections_to(settings: Bucket) -> int:
    """How many TCP connections this machine has open to a store."""
    port = int(settings.endpoint.rpartition(":")[2])
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2] == f"0100007F:{port:04X}" and row[3] == "01" for row in rows)
