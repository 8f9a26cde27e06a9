"""A worker that dies where it is told to: `python crashing_worker.py`, with the settings of any worker.

FAULT_ORDERS names a folder. While there is a file `stored` in it, the first worker that reaches the step `stored`
removes it and kills itself; the next process is a worker like any other. FAULT_PAUSE is how long a take takes at least:
tiny videos are rendered too fast to be hit by anything.
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


def obey(folder: Path, pause: float, step: str) -> None:
    if step == "rendered":
        time.sleep(pause)
    try:
        (folder / step).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    orders, least = Path(os.environ["FAULT_ORDERS"]), float(os.environ["FAULT_PAUSE"])
    sys.exit(main(lambda step: obey(orders, least, step)))
