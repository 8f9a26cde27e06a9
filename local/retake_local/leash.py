"""Runs one program that dies with its parent: `python -I -S leash.py PARENT SIGNAL USER KEEP PROGRAM ARGUMENTS...`.

A program of its own, because Python code between fork and exec is not safe in a process with threads.

1. Give up root for USER (`uid:gid`, or `-`), since Postgres refuses to run as root. With KEEP the user may still pass
   closed folders, for a checkout below a home that only root can enter.
2. Ask the kernel for SIGNAL when the parent ends; after step 1, because a change of user clears it.
3. The parent may have ended before step 2: then stop here.
4. Become the program, in a process group of its own, so that Ctrl-C in the terminal reaches only the parent.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
CAP_VERSION_3 = 0x20080522


def fail(what: str) -> None:
    sys.exit(f"leash: {what}: {os.strerror(ctypes.get_errno())}")


def become(user: str, keep: str, libc: ctypes.CDLL) -> None:
    uid, gid = (int(part) for part in user.split(":"))
    if keep == "keep" and libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0):
        fail("keeping capabilities")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keep == "keep":
        bit = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(CAP_VERSION_3, 0)
        data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        if libc.capset(header, data) or libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0):
            fail("keeping the right to pass folders")


def main() -> None:
    parent, death, user, keep, *argv = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    os.setpgid(0, 0)
    if user != "-":
        become(user, keep, libc)
    if libc.prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0):
        fail("asking to end with the parent")
    if os.getppid() != int(parent):
        sys.exit("leash: the parent is gone")
    os.execv(argv[0], argv)  # noqa: S606  there is no shell on purpose


main()
