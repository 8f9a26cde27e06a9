"""A worker that dies or freezes where it is told to: `python crashing_worker.py`, with the settings of any worker.

FAULT_ORDERS names a folder. While there is a file `stored` in it, the first worker that reaches the step `stored` signs
it with its process group, by renaming it, and sends itself the signal that stands in it; the next process is a worker
like any other. FAULT_PAUSE is how long a take takes at least: tiny videos are rendered too fast to be hit by anything.
"""

import os
import signal
import sys
import time
from pathlib import Path

from retake_worker.__main__ import main

STEPS = (
    "fetched", "claimed", "acknowledged", "inspected", "downloaded", "rendered", "stored", "committed", "finished",
)  # fmt: skip


def signed(folder: Path, step: str, group: int | str) -> Path:
    return folder / f"{step}-{group}"


def obey(folder: Path, pause: float, step: str) -> None:
    if step == "rendered":
        time.sleep(pause)
    order = folder / step
    try:
        number = signal.Signals[order.read_text()]
        order.rename(signed(folder, step, os.getpgrp()))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), number)


if __name__ == "__main__":
    orders, least = Path(os.environ["FAULT_ORDERS"]), float(os.environ["FAULT_PAUSE"])
    sys.exit(main(lambda step: obey(orders, least, step)))
