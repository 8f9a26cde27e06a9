"""The test base: one real Postgres, NATS and S3 for the whole session, started by the same code as `make run`.

Each test gets a database cloned from a migrated template, a bucket prefix and a stream of its own, so tests neither
see nor clean up after each other.

A test that runs pytest itself (the canaries) lends it these servers: their addresses, as JSON, in RETAKE_TEST_SERVERS.
A test that plants what must not be says which invariants it breaks, and why: `@pytest.mark.unsound("I9", why="...")`.
A test that needs a tool of the system says so, `@requires_tool("unzip")`; without the tool it is listed by name as not
run. Where all must run (NOTHING_SKIPPED=1, as in .ci/run), whatever is skipped has failed.
"""

import asyncio
import json
import os
import shutil
import tempfile
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import psycopg
import pytest

from clips import Clips
from retake.audit import Violation, audit
from retake.blobs.bucket import Blobs, open_blobs
from retake.domain.timing import Timing
from retake.settings import Bucket, Nats, Postgres
from retake.store.connect import Database, open_database
from retake.store.migrate import migrate
from retake_local.child import Child
from retake_local.servers import Addresses
from retake_local.up import Servers
from retake_worker.ffmpeg_process import find_ffmpeg
from scenes import Films

BUSY = (hypothesis.HealthCheck.too_slow,)  # a busy machine is no failure; pytest bounds every test
hypothesis.settings.register_profile("here", deadline=None, suppress_health_check=BUSY)
hypothesis.settings.load_profile("here")

T = TypeVar("T")

TEMPLATE = "template_retake"
LENT = "RETAKE_TEST_SERVERS"
MEMORY = Path("/dev/shm")


def requires_tool(name: str, package: str | None = None) -> pytest.MarkDecorator:
    """For tests of what another program makes of our output; `package` is Debian's, when it is called otherwise."""
    missing = shutil.which(name) is None
    return pytest.mark.skipif(missing, reason=f"{name} is not installed (Debian: apt-get install {package or name})")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("NOTHING_SKIPPED"):
        report.outcome, report.longrepr = "failed", f"not run, and here everything must be: {_why(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("skipped"):
        terminalreporter.write_line(f"not run: {report.nodeid}: {_why(report)}", yellow=True)


def _why(report: pytest.TestReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr).removeprefix("Skipped: ")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


class Stack:
    """The session's servers. They live on a loop of their own, so that they outlive every test's loop."""

    def __init__(self, data: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stack")
        self._thread.start()
        self.data = data
        (data / "logs").mkdir()
        self._servers = Servers(data, {}, durable=False)
        try:
            self.addresses: Addresses = self.call(self._start())
        except BaseException:
            self.close()
            raise

    async def _start(self) -> Addresses:
        addresses = await self._servers.start()
        await create_database(addresses.database_url, TEMPLATE)
        await migrate(database_url(addresses.database_url, TEMPLATE))
        return addresses

    def call(self, work: Any) -> Any:
        """Runs a coroutine on the stack's loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def child(self, name: str) -> Child:
        return next(child for child in self._servers.children if child.program.name == name)

    def close(self) -> None:
        self.call(self._servers.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def database_url(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


async def create_database(url: str, name: str, template: str = "template0") -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')


async def drop_database(url: str, name: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


class LentStack(Stack):
    """Another session's servers: to be used, not to be stopped."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    if lent := os.environ.get(LENT):
        yield LentStack(Addresses(**json.loads(lent)))
        return
    data = Path(tempfile.mkdtemp(prefix="retake-test-"))
    data.chmod(0o711)
    with home_of_postgres() as home:
        (data / "postgres").symlink_to(home)
        running = Stack(data)
        yield running
        running.close()
    shutil.rmtree(data)


@contextmanager
def home_of_postgres() -> Iterator[Path]:
    """In memory where there is plenty. Each test makes and drops a database, which is 400 files, and ext4 passes by
    the inodes that were freed in the last minutes: on a disk a database then costs 0.3 s, in memory 0.02 s."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**31
    for left in MEMORY.glob("retake-test-*") if roomy else ():
        if not Path("/proc", left.name.split("-")[2]).exists():  # its session was killed
            shutil.rmtree(left, ignore_errors=True)
    home = Path(tempfile.mkdtemp(prefix=f"retake-test-{os.getpid()}-", dir=MEMORY if roomy else None))
    yield home
    shutil.rmtree(home)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that Postgres's own user can reach."""
    made = Path(tempfile.mkdtemp(prefix="retake-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def unique() -> str:
    """A name no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def empty_database(stack: Stack, unique: str) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    await create_database(stack.addresses.database_url, unique)
    yield database_url(stack.addresses.database_url, unique)
    await drop_database(stack.addresses.database_url, unique)


@pytest.fixture
async def postgres(stack: Stack, unique: str, request: pytest.FixtureRequest) -> AsyncIterator[Postgres]:
    """Settings of a migrated database of this test's own. Whatever a test did, the audit of its rows is clean after it,
    but for the invariants that the test says it breaks."""
    await create_database(stack.addresses.database_url, unique, TEMPLATE)
    settings = Postgres(url=database_url(stack.addresses.database_url, unique), pool=10)
    yield settings
    found = await violations(settings)
    await drop_database(stack.addresses.database_url, unique)
    broken = {invariant for mark in request.node.iter_markers("unsound") for invariant in mark.args}
    assert [one for one in found if one.invariant not in broken] == []


async def violations(settings: Postgres) -> list[Violation]:
    async with open_database(settings, name="audit") as database:
        async with database.transaction() as connection:
            if await (await connection.execute("SELECT FROM job LIMIT 1")).fetchone() is None:
                return []
        return [one async for one in audit(database, None, None, Timing())]


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    async with open_database(postgres, name="test") as opened:
        yield opened


@pytest.fixture
def nats(stack: Stack, unique: str) -> Nats:
    """Settings of a stream of this test's own."""
    return Nats(url=stack.addresses.nats_url, stream=unique)


@pytest.fixture
def bucket(stack: Stack, unique: str) -> Bucket:
    """Settings of a bucket prefix of this test's own."""
    where = stack.addresses
    return Bucket(
        endpoint=where.s3_endpoint,
        access_key=where.s3_access_key,
        secret_key=where.s3_secret_key,
        name="retake-test",
        region="us-east-1",
        prefix=f"{unique}/",
    )


@pytest.fixture
async def blobs(bucket: Bucket) -> AsyncIterator[Blobs]:
    async with open_blobs(bucket) as opened:
        yield opened


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Small videos of every sort, by name (clips.py)."""
    return Clips(tmp_path_factory.mktemp("clips"), find_ffmpeg(None))


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """Clips that look filmed (scenes.py)."""
    return Films(tmp_path_factory.mktemp("films"), find_ffmpeg(None))


async def eventually(check: Callable[[], Awaitable[T]], within: float = 10) -> T:
    """Asks until the answer is true: for what only another process can tell."""
    async with asyncio.timeout(within):
        while not (answer := await check()):
            await asyncio.sleep(0.02)
        return answer
