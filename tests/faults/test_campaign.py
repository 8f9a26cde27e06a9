"""`make faults`: the campaign. FAULT_ROUNDS (300) rounds from FAULT_SEED (1) on, on FAULT_RIGS (2) rigs at once.

The seed of a round that goes wrong is told with the command that replays it, and its logs and rows are kept.
"""

import os
from pathlib import Path

import pytest
import structlog

from faults.campaign import campaign, say, table, totals
from faults.rig import Size

pytestmark = [pytest.mark.anyio, pytest.mark.faults]


def asked(name: str, default: int) -> int:
    return int(os.environ.get(name, default))


async def test_nothing_accepted_is_lost_and_nothing_is_published_twice_or_stale(tmp_path: Path) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    first, rounds = asked("FAULT_SEED", 1), asked("FAULT_ROUNDS", 300)

    outcomes = await campaign(tmp_path, range(first, first + rounds), Size(), asked("FAULT_RIGS", 2))

    say(f"\n{table(outcomes)}\n{totals(outcomes)}")
    assert [wrong for outcome in outcomes for wrong in outcome.verdict.wrong] == []
    assert len(outcomes) == rounds
