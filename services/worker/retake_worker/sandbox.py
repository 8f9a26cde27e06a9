"""What a run of ffmpeg may touch: worked out here, put in force by the launcher in the process that becomes ffmpeg.

Five layers, each for itself. `death_signal`: it ends with its worker. `limits`: memory it can address, length of a
file, CPU seconds, open files. `no_new_privs`: nothing it executes has more rights than it has. `landlock`: of all
files only itself, its libraries and its source to read, and its folder to work in. `seccomp`: no sockets, no processes,
no look or signal into other ones (seccomp.py). A kernel or a container runtime may lack the last two; then work goes on
with the others, and logs, metrics and the worker's row say so. docs/decisions/0008-sandbox.md says why it is so.
"""

import marshal
import os
import re
import resource
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from retake_worker import launcher
from retake_worker.ffmpeg_command import SOURCE
from retake_worker.seccomp import OWN_PID, filter_for

LAYERS = ("death_signal", "limits", "no_new_privs", "landlock", "seccomp")
LAUNCHER = Path(launcher.__file__)

_FILES = 256
_DEVICES = {"h264_nvenc": "nvidia*", "h264_qsv": "dri"}  # in /dev
_DRIVERS = ["/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/proc/driver", "/sys/class/drm", "/sys/devices"]
_LOOK_SECONDS = 10
_STANDARD_ERROR = 2
_LIBRARY = re.compile(r"^\s+(?:\S+ => )?(/.+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_INTERPRETER = 3  # PT_INTERP


class NotStarted(OSError):
    """The program could not be started in its sandbox; it is the machine's fault, not the input's."""


@dataclass(frozen=True)
class Program:
    """A program, with the files it needs to run and to read; usable wherever a path is."""

    path: Path
    runs: Sequence[str]
    reads: Sequence[str]
    filter: bytes
    memory: int = 4 * 2**30  # that it can address, of which it uses much less; the container limits that

    devices: Sequence[str] = ()  # that it may open, read, write and control

    def __fspath__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class Bounds:
    """Most CPU seconds, and most bytes of one file."""

    seconds: int
    space: int


def program_at(path: Path) -> Program:
    """With what the loader would load for it."""
    runs, reads = [str(path)], []
    with path.open("rb") as file:
        if file.read(2) == b"#!":
            path = Path(os.fsdecode(file.readline().split()[0])).resolve()
            runs.append(str(path))
    if (loader := _loader_of(path)) is not None:
        runs.append(loader)
        argv: list[str | Path] = [loader, "--list", path]
        listed = subprocess.run(argv, env={}, stdout=subprocess.PIPE, text=True, timeout=_LOOK_SECONDS, check=False)
        reads = _LIBRARY.findall(listed.stdout)
    return Program(Path(runs[0]), runs, reads, filter_for(os.uname().machine))


def for_encoder(program: Program, encoder: str) -> Program:
    """One in hardware needs its devices and the libraries of its driver, which reserve more addresses than there is
    memory. Not tried: there was no such hardware."""
    if encoder not in _DEVICES:
        return program
    devices = [str(device) for device in Path("/dev").glob(_DEVICES[encoder])]
    reads = [*program.reads, *_DRIVERS]
    return replace(program, reads=reads, devices=devices, memory=resource.RLIM_INFINITY)


def _loader_of(program: Path) -> str | None:
    """Which loader a program of ELF names; None when it is static, or no such program."""
    with program.open("rb") as file:
        head = file.read(64)
        if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
            return None
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        for number in range(count):
            file.seek(table + number * size)
            kind, _, place, _, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind == _INTERPRETER:
                file.seek(place)
                return os.fsdecode(file.read(length).rstrip(b"\0"))
    return None


def launching(program: Program, folder: Path, bounds: Bounds, trouble: int, *, look: bool = False) -> list[str]:
    """The command line that runs a program in its sandbox, but for its own arguments. `trouble` is the pipe over which
    the launcher says what kept it from that."""
    grants = [
        *((path, launcher.EXECUTE | launcher.READING) for path in program.runs),
        *((path, launcher.READING) for path in program.reads),
        *((path, launcher.CONTROLLING) for path in program.devices),
        (str(folder / SOURCE), launcher.READING),
        (str(folder), launcher.WORKING),
    ]
    spec: dict[str, Any] = {
        "parent": os.getpid(),
        "trouble": trouble,
        "look": look,
        "limits": [
            (resource.RLIMIT_AS, program.memory),
            (resource.RLIMIT_FSIZE, bounds.space),
            (resource.RLIMIT_CPU, bounds.seconds),
            (resource.RLIMIT_NOFILE, _FILES),
            (resource.RLIMIT_CORE, 0),
        ],
        "grants": grants,
        "filter": program.filter,
        "own_pid": OWN_PID,
    }
    return [sys.executable, "-I", "-S", str(LAUNCHER), marshal.dumps(spec).hex(), str(program.path)]


def layers_that_hold(program: Program, folder: Path) -> list[str]:
    """What this kernel puts in force, found out by trying. Blocks for some 20 ms."""
    looked = _once(program, folder, look=True)
    if looked.returncode:
        raise not_started(looked.stderr)
    return looked.stdout.decode().split()


def told_by(program: Program, folder: Path, argument: str) -> tuple[int, str]:
    """With one argument: its exit code, and what it writes. Blocks; for programs that answer at once."""
    ended = _once(program, folder, argument)
    return ended.returncode, (ended.stdout or ended.stderr).decode(errors="replace")


def _once(program: Program, folder: Path, *arguments: str, look: bool = False) -> subprocess.CompletedProcess[bytes]:
    argv = launching(program, folder, Bounds(_LOOK_SECONDS, 2**20), _STANDARD_ERROR, look=look)
    return subprocess.run(
        [*argv, *arguments], env={}, cwd=folder, capture_output=True, timeout=_LOOK_SECONDS, check=False
    )


def not_started(told: bytes) -> NotStarted:
    """From what the launcher told: the number of an error, and its words."""
    number, _, words = told.decode(errors="replace").partition(" ")
    return NotStarted(int(number) if number.isdecimal() else 0, words or "the launcher ended without a word")
