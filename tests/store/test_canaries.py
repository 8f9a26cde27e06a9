"""Can these tests fail? In a copy of the store one guard at a time is cut out, and the test that needs it must say so.

The copy comes first on the path of a pytest of its own (runner.py), to which this session lends its servers.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

import retake
from conftest import LENT, Stack
from store.cuts import CUTS, Cut
from store.cuts_of_bytes import CUTS_OF_BYTES

HERE = Path(__file__).parent
ALL = [*CUTS, *CUTS_OF_BYTES]


@dataclass(frozen=True)
class Ended:
    code: int
    said: str


Run = Callable[..., Ended]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(Path(retake.__file__).parent, tmp_path / "retake"))


@pytest.fixture(scope="module")
def runner(stack: Stack) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, HERE / "runner.py"],
        cwd=HERE.parents[1], env={**os.environ, LENT: json.dumps(asdict(stack.addresses))},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        yield running


@pytest.fixture
def run(copy: Path, tmp_path: Path, runner: subprocess.Popen[str]) -> Run:
    """Runs tests of this folder on the copy."""

    def tests(*names: str) -> Ended:
        output = tmp_path / "output"
        asked = {"copy": str(copy.parent), "tests": [f"tests/store/{name}" for name in names], "output": str(output)}
        assert runner.stdin is not None
        assert runner.stdout is not None
        print(json.dumps(asked), file=runner.stdin, flush=True)
        return Ended(int(runner.stdout.readline()), output.read_text())

    return tests


@pytest.mark.parametrize("cut", ALL, ids=lambda cut: cut.guard)
def test_without_the_guard_its_test_fails(cut: Cut, copy: Path, run: Run) -> None:
    file = copy / "store" / cut.file
    text = file.read_text()
    assert text.count(cut.old) == 1, f"the guard moved: {cut.file} has {text.count(cut.old)} times {cut.old!r}"
    file.write_text(text.replace(cut.old, cut.new))

    ended = run(cut.test)

    assert ended.code == pytest.ExitCode.TESTS_FAILED, ended.said
    assert cut.says in ended.said, ended.said


def test_with_every_guard_in_place_the_same_tests_pass(run: Run) -> None:
    ended = run(*dict.fromkeys(cut.test for cut in ALL))

    assert ended.code == pytest.ExitCode.OK, ended.said
