"""Ten rounds of one fault each; `make faults` plays hundreds, of up to three."""

from collections.abc import AsyncIterator

import pytest

from faults.evidence import Marks
from faults.plans import Plan
from faults.rig import Rig, Size, rigged
from faults.rounds import clean, play

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

FAULTS = (
    "kill -9 a worker at stored",
    "kill -9 a worker at committed",
    "kill -9 an api",
    "kill -9 nats, store wiped",
    "kill -9 postgres",
    "kill -9 s3",
    "kill -9 everything",
    "freeze a worker past its lease",
    "freeze the api that relays",
    "SIGTERM a worker with a part",
)


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rigged(tmp_path_factory.mktemp("rig"), Size(scale=0.02, slots=(1, 2))) as rig:
        yield rig


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_is_lost_published_twice_or_left_behind(rig: Rig, fault: str) -> None:
    plan, marks = Plan.of_one(fault), Marks(rig)

    outcome = await play(rig, plan)

    assert list(outcome.struck) == [fault]
    if outcome.verdict.wrong:
        folder = await marks.keep(rig, plan, outcome.verdict.wrong)
        pytest.fail("\n".join([str(plan), *outcome.verdict.wrong, f"logs and rows: {folder}"]))
    await clean(rig)
