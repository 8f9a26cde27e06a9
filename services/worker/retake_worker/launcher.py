"""Becomes one program in a sandbox: `python -I -S launcher.py SPEC PROGRAM ARGUMENTS...` (sandbox.py writes SPEC).

A program of its own, because Python code between fork and exec is not safe in a process with threads. It imports next
to nothing, because it runs before every run of ffmpeg. It must be started from a thread that lives as long as the
worker: the kernel watches the thread that forked. The parent gives it a session, a working folder and an empty
environment.

1. Ask the kernel for SIGKILL when the parent ends; it may have ended before: then stop here.
2. When memory is short, the kernel should end this one first, not the worker. Signals mean again what they always do.
3. Limits that nothing raises again.
4. Nothing that is executed gives more rights than there are (which the next two need).
5. Landlock: only these files, and in this folder.
6. Seccomp: only calls that stay inside the process.
7. Become the program, with nothing in its environment.

What the kernel does not have is left out: 5 and 6 say so by errors of their own. Any other error is told over a pipe
that closes by itself at 7. With SPEC's `look`, instead of 7 each layer is tried, and those that hold are printed.
"""

from __future__ import annotations  # typing is dear, too

import ctypes
import errno
import marshal
import os
import resource
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_SECCOMP = 1, 2, 38, 39, 22
SECCOMP_MODE_FILTER = 2
SIGKILL, SIGPIPE, SIGXFSZ = 9, 13, 25
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same everywhere
ABSENT = {errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}  # EPERM: the filter of an older container runtime
NO_SECCOMP = {errno.ENOSYS, errno.EINVAL, errno.EPERM}

# Rights of Landlock, by the version that brought them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
MAKE_DIR, MAKE_REG, TRUNCATE, IOCTL_DEV = 1 << 7, 1 << 8, 1 << 14, 1 << 15
ALL_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
BIND_AND_CONNECT = SOCKETS_AND_SIGNALS = 3
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READING = READ_FILE | READ_DIR
CONTROLLING = READING | WRITE_FILE | IOCTL_DEV
WORKING = READING | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | TRUNCATE

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def checked(result: int, what: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), what)
    return result


def syscall(number: int, *arguments: object, what: str) -> int:
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return checked(libc.syscall(ctypes.c_long(number), *wide), what)


def prctl(option: int, one: int = 0, two: int = 0) -> int:
    wide = [ctypes.c_ulong(value) for value in (one, two, 0, 0)]
    return checked(libc.prctl(option, *wide), f"prctl {option}")


def limit(limits: list[tuple[int, int]]) -> None:
    for which, most in limits:
        hard = resource.getrlimit(which)[1]
        lower = min((one for one in (most, hard) if one != resource.RLIM_INFINITY), default=resource.RLIM_INFINITY)
        resource.setrlimit(which, (lower, lower))


def landlock(grants: list[tuple[str, int]]) -> None:
    """`grants` are paths and rights; what is not there is not granted. Without Landlock in this kernel: nothing."""
    try:
        version = syscall(CREATE_RULESET, 0, 0, 1, what="landlock")
    except OSError as error:
        if error.errno in ABSENT:
            return
        raise
    handled = max(rights for since, rights in ALL_FILES.items() if since <= version)
    attributes = struct.pack("Q", handled)
    if version >= 4:
        attributes += struct.pack("Q", BIND_AND_CONNECT)
    if version >= 6:
        attributes += struct.pack("Q", SOCKETS_AND_SIGNALS)
    ruleset = syscall(CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0, what="landlock rules")
    for path, rights in grants:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        folder = os.fstat(place).st_mode & 0o170000 == 0o040000
        rule = struct.pack("=Qi", rights & handled & (-1 if folder else OF_FILES), place)
        syscall(ADD_RULE, ruleset, 1, ctypes.c_char_p(rule), 0, what=f"landlock rule for {path}")
        os.close(place)
    syscall(RESTRICT_SELF, ruleset, 0, what="landlock")
    os.close(ruleset)


def seccomp(program: bytes) -> None:
    """Without seccomp in this kernel, or without a filter for this machine: nothing."""
    if not program:
        return
    steps = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(steps)), 16)
    try:
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(head))
    except OSError as error:
        if error.errno not in NO_SECCOMP:
            raise


def go_first() -> None:
    """When memory is short. A wish: where it may not be made, the kernel chooses by size."""
    try:
        with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
            score.write("1000")
    except OSError:
        return


def confine(spec: dict[str, Any]) -> None:
    prctl(PR_SET_PDEATHSIG, SIGKILL)
    if os.getppid() != spec["parent"]:
        raise OSError(errno.ESRCH, "the parent is gone")
    go_first()
    for number in (SIGPIPE, SIGXFSZ):  # Python ignores them, and that is inherited
        libc.signal(number, 0)
    limit(spec["limits"])
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    landlock(spec["grants"])
    seccomp(spec["filter"].replace(struct.pack("I", spec["own_pid"]), struct.pack("I", os.getpid())))


def holding(spec: dict[str, Any]) -> list[str]:
    """The layers that hold, each by trying what it should forbid."""
    held = []
    signal = ctypes.c_int()
    if libc.prctl(PR_GET_PDEATHSIG, ctypes.byref(signal), 0, 0, 0) == 0 and signal.value == SIGKILL:
        held.append("death_signal")
    limits = [(resource.getrlimit(which)[1], most) for which, most in spec["limits"]]
    if all(most == resource.RLIM_INFINITY or 0 <= hard <= most for hard, most in limits):
        held.append("limits")
    if prctl(PR_GET_NO_NEW_PRIVS) == 1:
        held.append("no_new_privs")
    if libc.open(b"/", os.O_RDONLY) < 0 and ctypes.get_errno() == errno.EACCES:
        held.append("landlock")
    if libc.socket(1, 1, 0) < 0 and ctypes.get_errno() == errno.EPERM:
        held.append("seccomp")
    return held


def main() -> None:
    spec = marshal.loads(bytes.fromhex(sys.argv[1]))  # noqa: S302  our own parent's
    trouble = os.dup(spec["trouble"])  # which closes at exec
    if spec["trouble"] > 2:
        os.close(spec["trouble"])
    try:
        confine(spec)
        if spec["look"]:
            print(*holding(spec))  # noqa: T201
        else:
            os.execve(sys.argv[2], sys.argv[2:], {})  # noqa: S606  there is no shell on purpose
    except OSError as error:
        os.write(trouble, f"{error.errno} {error}".encode())
        os._exit(1)


if __name__ == "__main__":
    main()
