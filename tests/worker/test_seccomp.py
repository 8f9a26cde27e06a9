"""The filter of both machines, run step by step as the kernel would; the numbers here are the kernel's own."""

import errno
import struct

import pytest

from retake_worker.seccomp import OWN_PID, filter_for

CALLS = {
    "x86_64": {"arch": 0xC000003E, "read": 0, "openat": 257, "execve": 59, "mmap": 9, "clone": 56, "clone3": 435,
               "tgkill": 234, "prlimit64": 302, "prctl": 157, "fcntl": 72, "ioctl": 16, "socket": 41, "ptrace": 101,
               "kill": 62, "fchmodat": 268, "io_uring_setup": 425, "memfd_create": 319},
    "aarch64": {"arch": 0xC00000B7, "read": 63, "openat": 56, "execve": 221, "mmap": 222, "clone": 220, "clone3": 435,
                "tgkill": 131, "prlimit64": 261, "prctl": 167, "fcntl": 25, "ioctl": 29, "socket": 198, "ptrace": 117,
                "kill": 129, "fchmodat": 53, "io_uring_setup": 425, "memfd_create": 279},
}  # fmt: skip
THREAD = 0x003D0F00  # the flags that libc makes threads with
EPERM, ENOSYS = errno.EPERM, errno.ENOSYS


class Machine:
    def __init__(self, name: str) -> None:
        self._program, self._calls = filter_for(name), CALLS[name]

    def ask(self, call: str, *arguments: int) -> str | int:
        return self.raw(self._calls["arch"], self._calls[call], *arguments)

    def raw(self, arch: int, number: int, *arguments: int) -> str | int:
        """`allowed`, `killed`, or the error the call gets."""
        data = struct.pack("<IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
        held, at = 0, 0
        while True:
            code, yes, no, value = struct.unpack_from("<HBBI", self._program, at * 8)
            at += 1
            if code == 0x20:
                (held,) = struct.unpack_from("<I", data, value)
            elif code == 0x06:
                return {0x80000000: "killed", 0x7FFF0000: "allowed"}.get(value, value & 0xFFFF)
            else:
                at += yes if {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code] else no


@pytest.fixture(params=CALLS)
def machine(request: pytest.FixtureRequest) -> Machine:
    return Machine(request.param)


@pytest.mark.parametrize("call", ["read", "openat", "execve", "mmap"])
def test_what_every_program_does_is_allowed(machine: Machine, call: str) -> None:
    assert machine.ask(call) == "allowed"


@pytest.mark.parametrize("call", ["socket", "ptrace", "kill", "fchmodat", "io_uring_setup", "memfd_create"])
def test_what_reaches_out_is_refused(machine: Machine, call: str) -> None:
    assert machine.ask(call) == EPERM


def test_threads_are_made_and_processes_are_not(machine: Machine) -> None:
    assert machine.ask("clone", THREAD) == "allowed"
    assert machine.ask("clone", 17) == EPERM  # SIGCHLD: fork
    assert machine.ask("clone", 0x4111) == EPERM  # vfork
    assert machine.ask("clone", THREAD | 0x10000000) == EPERM  # in a user namespace
    assert machine.ask("clone3") == ENOSYS


def test_calls_that_name_a_process_may_name_only_their_own(machine: Machine) -> None:
    assert machine.ask("tgkill", OWN_PID, 1, 6) == "allowed"
    assert machine.ask("tgkill", 1, 1, 9) == EPERM
    assert machine.ask("prlimit64", 0) == "allowed"
    assert machine.ask("prlimit64", 1) == EPERM


def test_it_stays_bound_to_its_worker_and_owns_no_signals(machine: Machine) -> None:
    assert machine.ask("prctl", 15) == "allowed"  # a thread's name
    assert machine.ask("prctl", 1) == EPERM
    assert machine.ask("fcntl", 3, 2) == "allowed"
    assert [machine.ask("fcntl", 3, command) for command in (8, 10, 15)] == [EPERM] * 3
    assert machine.ask("ioctl", 1, 0x5413) == "allowed"  # how wide is the terminal
    assert machine.ask("ioctl", 1, 0x8901) == EPERM


def test_another_machines_calls_kill(machine: Machine) -> None:
    assert machine.raw(0x40000003, 3) == "killed"  # 32 bit
    assert Machine("x86_64").raw(0xC000003E, 0x40000000) == "killed"  # x32


def test_an_unknown_machine_has_no_filter() -> None:
    assert filter_for("riscv64") == b""
