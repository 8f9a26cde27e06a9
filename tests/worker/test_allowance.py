"""Limits of containers, read from trees like those that kernels show."""

import os
from pathlib import Path

import pytest

from retake_worker.allowance import Allowance, allowance, takes_at_once

MIB = 2**20
HERE = len(os.sched_getaffinity(0))
V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """One with 16 GiB."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal:       16777216 kB\nMemFree: 1 kB\n")
    return tmp_path


def put(machine: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        place = machine / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def test_without_cgroups_it_is_the_machine(machine: Path) -> None:
    assert allowance(machine) == Allowance(HERE, 16384 * MIB)


def test_version_2_as_a_pod_sees_it(machine: Path) -> None:
    put(machine, {
        "proc/self/cgroup": "0::/\n", "proc/self/mountinfo": V2,
        "sys/fs/cgroup/cpu.max": "50000 100000\n", "sys/fs/cgroup/memory.max": "1073741824\n",
    })  # fmt: skip

    assert allowance(machine) == Allowance(0.5, 1024 * MIB)


def test_the_tightest_of_nested_limits_counts(machine: Path) -> None:
    put(machine, {
        "proc/self/cgroup": "0::/kubepods/pod1/c1\n", "proc/self/mountinfo": V2,
        "sys/fs/cgroup/kubepods/pod1/c1/cpu.max": "max 100000\n",
        "sys/fs/cgroup/kubepods/pod1/c1/memory.max": "2147483648\n",
        "sys/fs/cgroup/kubepods/pod1/cpu.max": "20000 40000\n",
        "sys/fs/cgroup/kubepods/memory.max": "max\n",
        "sys/fs/cgroup/memory.max": "4294967296\n",
    })  # fmt: skip

    assert allowance(machine) == Allowance(0.5, 2048 * MIB)


def test_version_1_whose_mount_shows_only_the_container(machine: Path) -> None:
    mounts = "".join(
        f"{n} 24 0:{n} /docker/abc /sys/fs/cgroup/{names} ro - cgroup cgroup rw,{names}\n"
        for n, names in enumerate(["cpu,cpuacct", "memory", "pids"])
    )
    put(machine, {
        "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n2:pids:/docker/abc\n0::/\n",
        "proc/self/mountinfo": mounts,
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "25000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
    })  # fmt: skip

    assert allowance(machine) == Allowance(0.25, 512 * MIB)


def test_version_1_that_limits_nothing_has_numbers_too(machine: Path) -> None:
    put(machine, {
        "proc/self/cgroup": "4:memory:/\n1:cpu:/\n",
        "proc/self/mountinfo": "1 2 0:1 / /cg/cpu rw - cgroup x rw,cpu\n2 2 0:2 / /cg/mem rw - cgroup x rw,memory\n",
        "cg/cpu/cpu.cfs_quota_us": "-1\n", "cg/cpu/cpu.cfs_period_us": "100000\n",
        "cg/mem/memory.limit_in_bytes": "9223372036854771712\n",
    })  # fmt: skip

    assert allowance(machine) == Allowance(HERE, 16384 * MIB)


def test_less_memory_may_be_counted_on_but_not_more() -> None:
    allowed = Allowance(2, 4096 * MIB)

    assert allowed.at_most(1024 * MIB) == Allowance(2, 1024 * MIB)
    assert allowed.at_most(8192 * MIB) == allowed


def test_this_machine_can_be_read() -> None:
    read = allowance()

    assert 0 < read.cpus <= HERE
    assert read.memory > 64 * MIB


@pytest.mark.parametrize(
    ("cpus", "mib", "slots"), [(0.5, 4096, 1), (1, 4096, 1), (3.5, 4096, 3), (8, 4096, 8), (8, 800, 5), (2, 100, 1)]
)
def test_slots_are_whole_cpus_that_memory_is_enough_for(cpus: float, mib: int, slots: int) -> None:
    assert Allowance(cpus, mib * MIB).slots == slots


@pytest.mark.parametrize(
    ("height", "mib", "slots", "takes"),
    [
        (1080, 8192, 1, 5),
        (1080, 200 + 66 + 5 * 50, 1, 5),
        (1080, 200 + 66 + 5 * 50 - 1, 1, 4),
        (1080, 2 * (66 + 3 * 50) + 200, 2, 3),
        (720, 200 + 200, 1, 5),
        (2160, 200 + 4 * (66 + 2 * 50), 1, 2),
        (2160, 300, 1, 1),
        (1080, 100, 4, 1),
    ],
)
def test_takes_at_once_are_as_many_as_memory_is_enough_for(height: int, mib: int, slots: int, takes: int) -> None:
    assert takes_at_once(height * height * 16 // 9, mib * MIB, slots) == takes
