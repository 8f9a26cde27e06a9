"""Whatever is asked, the answer is one that the document tells of. `make faults` asks more, EXAMPLES per operation."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from api.conftest import Start
from api.document import operations
from api.fuzzing import Fuzzing
from api.population import Population
from footage import Footage
from retake.api_keys import make
from retake.store.login_attempts import Limits
from retake_api.__main__ import open_access
from retake_api.app import Tools, create_app
from retake_api.openapi import document

pytestmark = pytest.mark.anyio

SHORT, LONG, SEED = 8, int(os.environ.get("EXAMPLES", "2000")), int(os.environ.get("SEED", "1"))
UNLIMITED = {"queue_jobs": 10**9, "queue_videos": 10**9}


@pytest.fixture
async def fuzzing(start: Start, tools: Tools, footage: Footage, tmp_path: Path) -> AsyncIterator[Fuzzing]:
    """Nobody is told to come back later: what is asked too often is asked by other tests."""
    (key, all_of_it), (reader, looking) = make("all", "default", "read,submit,admin"), make("look", "default", "read")
    (tmp_path / "keys").write_text(f"{all_of_it}\n{looking}\n")
    access, door = await open_access(replace(tools.web, keys=str(tmp_path / "keys")), tools.database)
    patient = replace(door, limits=Limits(timedelta(minutes=10), client=10**9, everybody=10**9))
    server = await start(access=access, door=patient, limits=UNLIMITED)
    population = Population(footage)
    made = Fuzzing(document(create_app(tools)), server.url, key, reader, population)
    yield made
    await population.rest()
    for label, told in made.answers.items():
        print(f"{label}: {dict(sorted(told.items()))}")  # noqa: T201  what a campaign asked, with -s


async def test_every_answer_is_one_the_document_tells_of_and_every_call_is_done_now_and_then(fuzzing: Fuzzing) -> None:
    await anyio.to_thread.run_sync(fuzzing.run, SHORT, SEED)

    assert set(fuzzing.answers) == {str(one) for one in operations()}
    assert [label for label, told in fuzzing.answers.items() if min(told) >= 400] == []


@pytest.mark.faults
async def test_so_are_thousands_of_answers_of_each_operation(fuzzing: Fuzzing) -> None:
    await anyio.to_thread.run_sync(fuzzing.run, LONG, SEED)

    assert [label for label, told in fuzzing.answers.items() if min(told) >= 400] == []
