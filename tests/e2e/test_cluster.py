"""What `make e2e-cluster` says where it cannot run."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def run(path: Path, **more: str) -> tuple[int, str]:
    environ = {**os.environ, "PATH": str(path), "PYTHONPATH": str(TESTS), "KUBECONFIG": os.devnull, **more}
    done = subprocess.run(
        [sys.executable, "-m", "e2e.cluster"], env=environ, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def stand_in(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_without_its_tools_it_says_what_it_needs(tmp_path: Path) -> None:
    code, said = run(tmp_path)

    assert code == 2
    assert said.startswith("e2e-cluster: kubectl and helm are not installed.\nIt needs\n  - kubectl and helm")


def test_without_a_cluster_it_says_what_kubectl_said(tmp_path: Path) -> None:
    stand_in(tmp_path, "helm", "exit 0")
    stand_in(tmp_path, "kubectl", "echo 'The connection to the server was refused' >&2; exit 1")

    code, said = run(tmp_path)

    assert code == 2
    assert "there is no cluster that answers" in said
    assert "The connection to the server was refused" in said


def test_a_namespace_that_is_there_is_left_alone(tmp_path: Path) -> None:
    stand_in(tmp_path, "helm", "exit 0")
    stand_in(tmp_path, "kubectl", "echo namespace/retake-e2e")

    code, said = run(tmp_path)

    assert code == 2
    assert "there is a namespace retake-e2e already" in said
