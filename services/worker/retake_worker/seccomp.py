"""What a program in the sandbox may not ask of the kernel, as a seccomp filter. Pure: a machine in, its filter out.

Everything an encoder needs is allowed; what reaches out of its process is refused, with EPERM so that a library goes
on without it. Three are more than a name: new threads are made by the same call as new processes, and libc names its
own process when it raises a signal or reads a limit. clone3, whose flags a filter cannot see, "does not exist": libc
then uses clone. Calls of another architecture kill the program, since their numbers mean other things.
"""

import errno
import struct
from collections.abc import Iterable, Mapping
from typing import Final

OWN_PID: Final = 0x5EEDF00D
"""Stands in the filter where the launcher puts the number of its process."""

_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where they are in struct seccomp_data
_X32 = 0x40000000

_CLONE_THREAD, _CLONE_NEW = 0x00010000, 0x7E020000
_PR_SET_PDEATHSIG = 1
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX = 8, 10, 15
_FIOSETOWN, _SIOCSPGRP, _TIOCSTI = 0x8901, 0x8902, 0x5412

_MACHINES: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The kernel's names of them (AUDIT_ARCH)."""

_ASKED: Mapping[str, tuple[int, int]] = {
    "clone": (56, 220), "clone3": (435, 435), "tgkill": (234, 131), "prlimit64": (302, 261), "prctl": (157, 167),
    "fcntl": (72, 25), "ioctl": (16, 29),
}  # fmt: skip
"""Those that are allowed or refused by what they are asked: numbers on x86_64 and aarch64."""

_REFUSED: Mapping[str, tuple[int | None, int | None]] = {
    # talk to anybody
    "socket": (41, 198), "socketpair": (53, 199), "mq_open": (240, 180), "msgget": (68, 186), "semget": (64, 190),
    # become more processes, or look into others, stop them, slow them down
    "fork": (57, None), "vfork": (58, None), "ptrace": (101, 117), "kcmp": (312, 272), "kill": (62, 129),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "sched_setaffinity": (203, 122), "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # hold memory that its limit does not count, or that outlives it
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    # change what a file is, which Landlock lets through
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setxattrat": (463, 463),
    "removexattrat": (466, 466), "mknod": (133, None), "mknodat": (259, 33), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # see another world
    "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41), "mount": (165, 40),
    "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467), "personality": (135, 92),
    # large parts of the kernel that no encoder needs
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "fanotify_init": (300, 262), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "modify_ldt": (154, None), "lookup_dcookie": (212, 18),
    "uselib": (134, None), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162),
    "iopl": (172, None), "ioperm": (173, None), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "syslog": (103, 116),
    "settimeofday": (164, 170), "adjtimex": (159, 171), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "vhangup": (153, 58),
}  # fmt: skip


def filter_for(machine: str) -> bytes:
    """Empty for a machine whose numbers are not known here."""
    if machine not in _MACHINES:
        return b""
    column = list(_MACHINES).index(machine)
    asked = {name: numbers[column] for name, numbers in _ASKED.items()}
    refused = sorted(number for numbers in _REFUSED.values() if (number := numbers[column]) is not None)
    return b"".join(
        [
            _step(_LOAD, _ARCHITECTURE),
            _step(_EQUAL, _MACHINES[machine], yes=1),
            _step(_RETURN, _KILL),
            _step(_LOAD, _NUMBER),
            *([_step(_AT_LEAST, _X32, no=1), _step(_RETURN, _KILL)] if machine == "x86_64" else []),
            _step(_EQUAL, asked["clone3"], no=1),
            _step(_RETURN, _ERRNO | errno.ENOSYS),
            *_only_threads(asked["clone"]),
            *_only(asked["tgkill"], OWN_PID),
            *_only(asked["prlimit64"], 0),
            *_but(asked["prctl"], 0, [_PR_SET_PDEATHSIG]),
            *_but(asked["fcntl"], 1, [_F_SETOWN, _F_SETSIG, _F_SETOWN_EX]),
            *_but(asked["ioctl"], 1, [_FIOSETOWN, _SIOCSPGRP, _TIOCSTI]),
            *(step for number in refused for step in (_step(_EQUAL, number, no=1), _REFUSE)),
            _step(_RETURN, _ALLOW),
        ]
    )


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are how many are skipped."""
    return struct.pack("HBBI", code, yes, no, value)


_REFUSE = _step(_RETURN, _ERRNO | errno.EPERM)


def _only_threads(number: int) -> list[bytes]:
    """clone(flags) makes a thread of this process, in this world, or nothing."""
    judged = [_step(_ANY_BIT, _CLONE_NEW, yes=2), _step(_ANY_BIT, _CLONE_THREAD, no=1), _step(_RETURN, _ALLOW)]
    return [*_asked(number, 0, judged), _REFUSE]


def _only(number: int, value: int) -> list[bytes]:
    """Allowed with this first argument only."""
    return [*_asked(number, 0, [_step(_EQUAL, value, no=1), _step(_RETURN, _ALLOW)]), _REFUSE]


def _but(number: int, argument: int, values: Iterable[int]) -> list[bytes]:
    """Allowed, but not with one of these."""
    refusals = [step for value in values for step in (_step(_EQUAL, value, no=1), _REFUSE)]
    return [*_asked(number, argument, refusals), _step(_RETURN, _ALLOW)]


def _asked(number: int, argument: int, judged: list[bytes]) -> list[bytes]:
    """For this call its argument is judged; a last step, which the caller adds, is for what is left."""
    return [
        _step(_EQUAL, number, no=len(judged) + 2),
        _step(_LOAD, _ARGUMENTS + 8 * argument),
        *judged,
    ]
