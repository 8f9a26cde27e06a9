"""The Postgres of a demo on a volume that outlives its installation, as Kubernetes gives it back."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from conftest import eventually
from retake.store.connect import answers
from retake_local.child import spawn
from retake_local.servers import PostgresUser, free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
def place() -> Iterator[Path]:
    """One that Postgres's own user can reach."""
    made = Path(tempfile.mkdtemp(prefix="retake-test-"))
    for folder in (made, made / "data", made / "secrets"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
    yield made
    shutil.rmtree(made)


@asynccontextmanager
async def installed(place: Path, password: str, port: int) -> AsyncIterator[None]:
    """Runs while somebody can log in with this password."""
    data, user = place / "data", PostgresUser.for_data(place / "data")
    (place / "secrets/password").write_text(password)
    user.own(data)
    uid, keep = user.leash
    words = ["-m", "retake_local", "serve", "postgres", str(port), data, place / "secrets"]
    with (place / "log").open("ab") as log:
        process = await spawn([sys.executable, *words], log.fileno(), env={}, user=uid, keep=keep)
    try:
        await eventually(lambda: answers(f"postgresql://retake:{password}@127.0.0.1:{port}/postgres"), within=60)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await process.wait()


async def test_it_takes_the_new_password_and_a_folder_that_was_opened_to_its_group(place: Path) -> None:
    port = free_port()
    async with installed(place, "first", port):
        pass
    (place / "data/postgres/cluster").chmod(0o2770)

    async with installed(place, "it's-new", port):
        old = await answers(f"postgresql://retake:first@127.0.0.1:{port}/postgres")

    assert not old
