"""Can these tests fail? In a copy of the store one guard at a time is cut out, and the test that needs it must say so.

The copy comes first on the path of a pytest of its own, to which this session lends its servers.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

import retake
from conftest import LENT, Stack
from store.cuts import CUTS, Cut
from store.cuts_of_bytes import CUTS_OF_BYTES

ROOT = Path(__file__).parents[2]
ALL = [*CUTS, *CUTS_OF_BYTES]
PLUGINS = ("xdist", "hypothesispytest")  # that these runs do not need, and that take their time to start

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Path(retake.__file__).parent, tmp_path / "retake"))


@pytest.fixture
def run(copy: Path, stack: Stack) -> Run:
    """Runs tests of this folder on the copy."""
    path = os.pathsep.join([str(copy.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    environ = {**os.environ, "PYTHONPATH": path, LENT: json.dumps(asdict(stack.addresses))}

    def tests(*names: str) -> subprocess.CompletedProcess[str]:
        without = [word for plugin in PLUGINS for word in ("-p", f"no:{plugin}")]
        return subprocess.run(
            [sys.executable, "-m", "pytest", *without, *(f"tests/store/{name}" for name in names)],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return tests


@pytest.mark.parametrize("cut", ALL, ids=lambda cut: cut.guard)
def test_without_the_guard_its_test_fails(cut: Cut, copy: Path, run: Run) -> None:
    file = copy / "store" / cut.file
    text = file.read_text()
    assert text.count(cut.old) == 1, f"the guard moved: {cut.file} has {text.count(cut.old)} times {cut.old!r}"
    file.write_text(text.replace(cut.old, cut.new))

    ended = run(cut.test)

    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    assert cut.says in ended.stdout, ended.stdout


def test_with_every_guard_in_place_the_same_tests_pass(copy: Path, run: Run) -> None:
    ended = run(*dict.fromkeys(cut.test for cut in ALL))

    assert ended.returncode == pytest.ExitCode.OK, ended.stdout + ended.stderr
