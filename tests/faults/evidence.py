"""What is kept of a round that went wrong: the logs of all processes, the rows, and the command to replay it."""

import json
from pathlib import Path

from faults.plans import Plan
from faults.rig import Rig

KEPT = Path(__file__).parents[2] / "build" / "faults"
_TABLES = ("job", "video", "part", "variation", "event", "worker", "duty", "reaping")


class Marks:
    """How long every log was when the round began."""

    def __init__(self, rig: Rig) -> None:
        self._logs = rig.data / "logs"
        self._lengths = {place.name: place.stat().st_size for place in self._logs.glob("*.log")}

    async def keep(self, rig: Rig, plan: Plan, wrong: list[str]) -> Path:
        folder = KEPT / f"seed-{plan.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        for place in self._logs.glob("*.log"):
            (folder / place.name).write_bytes(place.read_bytes()[self._lengths.get(place.name, 0) :])
        rows = {table: await rig.eyes.see(f"SELECT * FROM {table} ORDER BY 1") for table in _TABLES}
        (folder / "rows.json").write_text(json.dumps(rows, default=str, indent=1))
        (folder / "verdict.txt").write_text("\n".join([str(plan), *wrong, replay(plan.seed), ""]))
        return folder


def replay(seed: int) -> str:
    return f"make faults FAULT_SEED={seed} FAULT_ROUNDS=1"
