"""Whatever is asked, the answer is one that the document tells of. `make faults` asks more, EXAMPLES per operation."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from api.conftest import Start
from api.document import operations
from api.fuzzing import Fuzzing
from api.test_isolation import real  # noqa: F401  a fixture
from retake.api_keys import make
from retake_api.app import Tools, create_app
from retake_api.openapi import document

pytestmark = pytest.mark.anyio

SHORT, LONG, SEED = 8, int(os.environ.get("EXAMPLES", "2000")), int(os.environ.get("SEED", "1"))


@pytest.fixture
async def fuzzing(start: Start, tools: Tools, real: dict[str, str], tmp_path: Path) -> AsyncIterator[Fuzzing]:  # noqa: F811
    """With an API key: unlike a session, it survives logging out."""
    key, line = make("fuzzing", "default", "read,submit,admin")
    (tmp_path / "keys").write_text(line)
    server = await start(web={"keys": str(tmp_path / "keys")})
    made = Fuzzing(document(create_app(tools)), server.url, key, real)
    yield made
    for label, told in made.answers.items():
        print(f"{label}: {dict(sorted(told.items()))}")  # noqa: T201  what a campaign asked, with -s


async def test_every_answer_is_one_the_document_tells_of(fuzzing: Fuzzing) -> None:
    await anyio.to_thread.run_sync(fuzzing.run, SHORT, SEED)

    assert set(fuzzing.answers) == {str(one) for one in operations()}


@pytest.mark.faults
async def test_so_are_thousands_of_answers_of_each_operation(fuzzing: Fuzzing) -> None:
    await anyio.to_thread.run_sync(fuzzing.run, LONG, SEED)

    assert min(sum(told.values()) for told in fuzzing.answers.values()) > 0
