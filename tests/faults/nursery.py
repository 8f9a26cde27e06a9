"""Where services come from in a few milliseconds: `python nursery.py SOCKET` has imported them, and forks.

A fresh interpreter that imports a service costs a second of processor time, and a campaign starts thousands. Each is
asked for by a stub (stub.py), which the rig takes for the service itself. What is forked joins the stub's process
group, so that whatever is sent to the group reaches it, and is gone when the stub was gone before that.
"""

import contextlib
import ctypes
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import NoReturn

import retake_api.__main__  # noqa: F401  both only to be there already
import retake_worker.__main__  # noqa: F401

PR_SET_PDEATHSIG = 1


def serve(place: Path) -> NoReturn:
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    children: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as selector:
        place.unlink(missing_ok=True)
        listening.bind(str(place))
        listening.listen(32)
        selector.register(listening, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        gc.freeze()
        while True:
            for key, _ in selector.select():
                if key.fileobj is listening:
                    line, _ = listening.accept()
                    children[bear(line, [listening, woken, wake, selector, *children.values()])] = line
                else:
                    woken.recv(4096)
            bury(children)


def bear(line: socket.socket, strangers: list) -> int:
    """Forks what the stub asks for, a module or a script; its output goes where the stub's goes."""
    data, (output,), _, _ = socket.recv_fds(line, 2**18, 1)
    if pid := os.fork():
        os.close(output)
        return pid
    code = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for stranger in strangers:
            stranger.close()
        code = live(line, output, json.loads(data))
    finally:
        sys.stdout.flush()
        os._exit(code)


def live(line: socket.socket, output: int, asked: dict) -> int:
    os.setpgid(0, asked["group"])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    line.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        line.recv(1)
        return 71  # the stub was killed before its group was joined
    line.close()
    for standard in (1, 2):
        os.dup2(output, standard)
    os.environ.clear()
    os.environ.update(asked["environment"])
    try:
        run = runpy.run_path if asked["program"].endswith(".py") else runpy.run_module
        run(asked["program"], run_name="__main__")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def bury(children: dict[int, socket.socket]) -> None:
    """Each stub learns how its service ended."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as line:
            try:
                line.send(str(os.waitstatus_to_exitcode(status)).encode())
            except BrokenPipeError:
                continue


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
