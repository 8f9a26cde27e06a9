"""Stands for a service the nursery forks: `python -I -S stub.py SOCKET PROGRAM`. It ends as the service ends."""

import json
import os
import signal
import socket
import sys


def main(place: str, program: str) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the service gets it as well, being of the same group
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(place)
        request = {"program": program, "group": os.getpgrp(), "environment": dict(os.environ)}
        socket.send_fds(line, [json.dumps(request).encode()], [1])
        code = int(line.recv(16) or 72)
    if code < 0:
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
