"""What this process may use of its machine: CPUs and memory, by affinity, by cgroups of either version, and at all.

A container's limits stand in the folders of its cgroup and of those above it, and the tightest counts. Which folder it
is, /proc/self/cgroup says; where it is mounted, /proc/self/mountinfo. Inside a container the mount often shows only the
container's own part of the tree.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from retake.domain.work import SLICE_TAKES

_MIB = 2**20
_OWN = 200 * _MIB  # the worker itself
_FULL_HD = 1920 * 1080
_RUN, _TAKE = 66 * _MIB, 50 * _MIB  # of ffmpeg at 1080p, measured: a run, and each take of it


@dataclass(frozen=True)
class Allowance:
    cpus: float
    memory: int

    def at_most(self, memory: int) -> "Allowance":
        return Allowance(self.cpus, min(self.memory, memory))

    @property
    def slots(self) -> int:
        """Parts at once: one for each whole CPU, if memory is enough for one take of 1080p in each."""
        return max(1, min(int(self.cpus), (self.memory - _OWN) // (_RUN + _TAKE)))


def takes_at_once(pixels: int, memory: int, slots: int) -> int:
    """How many takes of this size one run of ffmpeg may make, when all slots run one."""
    share = (memory - _OWN) / slots * _FULL_HD / max(1, pixels)
    return max(1, min(SLICE_TAKES, int((share - _RUN) // _TAKE)))


def allowance(top: Path = Path("/")) -> Allowance:
    """`top` is where /proc and the mounts are found."""
    cpus, memory = [float(len(os.sched_getaffinity(0)))], [_installed(top)]
    for folder in _cgroups(top):
        cpus += _cpus(folder)
        memory += _memory(folder)
    return Allowance(min(cpus), min(memory))


def _installed(top: Path) -> int:
    """Memory of the machine."""
    line = next(line for line in _text(top / "proc/meminfo").splitlines() if line.startswith("MemTotal:"))
    return int(line.split()[1]) * 1024


def _cgroups(top: Path) -> Iterator[Path]:
    """Folders of our cgroups, each followed by those above it that can be seen."""
    ours: dict[str, PurePosixPath] = {}  # by controller; version 2 has all of them in one, which has no name
    for line in _text(top / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        ours |= dict.fromkeys(controllers.split(","), PurePosixPath(path))
    for line in _text(top / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        root, mounted = before.split()[3:5]
        kind, _, options = after.split(maxsplit=2)
        names = {"cgroup2": {""}, "cgroup": {"cpu", "memory"} & set(options.split(","))}.get(kind, set())
        for ours_here in {ours[name] for name in names if name in ours}:
            place = top / mounted.lstrip("/")
            inside = ours_here.relative_to(root) if ours_here.is_relative_to(root) else PurePosixPath()
            yield from (place / inside, *(place / above for above in inside.parents))


def _cpus(folder: Path) -> list[float]:
    quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
    if not quota:
        quota, period = (_text(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
    return [int(quota) / int(period)] if quota.isdecimal() and period.isdecimal() and int(period) else []


def _memory(folder: Path) -> list[int]:
    texts = (_text(folder / name).strip() for name in ("memory.max", "memory.limit_in_bytes"))
    return [int(text) for text in texts if text.isdecimal()]


def _text(file: Path) -> str:
    """Empty when there is no such file, which limits nothing."""
    try:
        return file.read_text()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return ""
