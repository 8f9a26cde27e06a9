"""A worker that writes down when it reached each step: `python timed_worker.py`, with the settings of any worker."""

import os
import sys
import time
from pathlib import Path

from retake_worker.__main__ import main

if __name__ == "__main__":
    with Path(os.environ["FAULT_ORDERS"], f"{os.environ['RETAKE_WORKER_NAME']}.steps").open("a", buffering=1) as steps:
        sys.exit(main(lambda step: print(step, time.time(), file=steps)))
