"""Runs a module's `main` as on a kernel that lacks something: `python older_kernel.py CALL ERROR MODULE ARGUMENTS...`.

A filter of seccomp answers the call with the error, for this process and all that it starts. CALL is `landlock`, or
`seccomp` (which then is the last filter that can be made).
"""

import ctypes
import errno
import importlib
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 38, 22
LANDLOCK_CREATE_RULESET = 444
PRCTL = {"x86_64": 157, "aarch64": 167}[os.uname().machine]


def step(code: int, yes: int, no: int, value: int) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def without(call: str, error: int) -> bytes:
    refuse, allow = step(0x06, 0, 0, 0x00050000 | error), step(0x06, 0, 0, 0x7FFF0000)
    if call == "landlock":
        return step(0x20, 0, 0, 0) + step(0x15, 0, 1, LANDLOCK_CREATE_RULESET) + refuse + allow
    return (
        step(0x20, 0, 0, 0) + step(0x15, 0, 3, PRCTL) + step(0x20, 0, 0, 16) + step(0x15, 0, 1, PR_SET_SECCOMP)
        + refuse + allow
    )  # fmt: skip


def install(program: bytes) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    steps = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(steps)), 16)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.c_ulong(ctypes.addressof(head)), 0, 0) == 0


if __name__ == "__main__":
    call, error, module = sys.argv[1:4]
    install(without(call, getattr(errno, error)))
    importlib.import_module(module).main(*sys.argv[4:])
