"""A worker that dies where it is told to: `python crashing_worker.py`, with the settings of any worker.

FAULT_ORDERS names a folder. When there is a file `stored` that holds `2`, the first worker that reaches the step
`stored` for the second time from then on kills itself. That uses up the order: the next process is one like any other.
FAULT_PAUSE is how long a take takes at least: copies are made too fast to be hit by anything.
"""

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from retake_worker.__main__ import main

STEPS = (
    "fetched", "claimed", "acknowledged", "inspected", "downloaded", "rendered", "stored", "committed", "finished",
)  # fmt: skip


class Orders:
    def __init__(self, folder: Path, pause: float) -> None:
        self._folder, self._pause = folder, pause
        self._reached: Counter[str] = Counter()

    def reach(self, step: str) -> None:
        if step == "rendered":
            time.sleep(self._pause)
        try:
            wanted = int((self._folder / step).read_text())
        except FileNotFoundError:
            self._reached[step] = 0
            return
        self._reached[step] += 1
        if self._reached[step] >= wanted:
            (self._folder / step).unlink()
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Orders(Path(os.environ["FAULT_ORDERS"]), float(os.environ["FAULT_PAUSE"])).reach))
