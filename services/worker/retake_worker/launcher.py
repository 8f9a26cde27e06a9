"""Becomes one program that dies with its parent: `python -I -S launcher.py PARENT PROGRAM ARGUMENTS...`.

A program of its own, because Python code between fork and exec is not safe in a process with threads. The parent gives
it a session, a working folder and an empty environment. It must be started from a thread that lives as long as the
worker: the kernel watches the thread that forked.

1. Ask the kernel for SIGKILL when the parent ends.
2. The parent may have ended before step 1: then stop here.
3. Leave no core dumps in scratch.
4. Become the program, with nothing in its environment.
"""

import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *argv = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0):
        sys.exit(f"launcher: asking to end with the parent: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):
        sys.exit("launcher: the parent is gone")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        os.execve(argv[0], argv, {})  # noqa: S606  there is no shell on purpose
    except OSError as error:
        sys.exit(f"launcher: {argv[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
