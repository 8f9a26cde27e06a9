"""A worker that writes down when it reached each step, and how many CPU seconds it and its FFmpegs had spent by then:
`python timed_worker.py`, with the settings of any worker."""

import os
import resource
import sys
import time
from pathlib import Path

from retake_worker.__main__ import main


def cpu_seconds() -> float:
    """Of this process and of all that it has waited for."""
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


if __name__ == "__main__":
    with Path(os.environ["FAULT_ORDERS"], f"{os.environ['RETAKE_WORKER_NAME']}.steps").open("a", buffering=1) as steps:
        sys.exit(main(lambda step: print(step, time.time(), cpu_seconds(), file=steps)))
