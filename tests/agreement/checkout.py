"""A copy of the checkout, to be spoilt: a check that cannot fail proves nothing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
_PARTS = ("core", "services", "client", "local", "proto", "docs", "deploy", "pyproject.toml")
_IGNORED = shutil.ignore_patterns("__pycache__", "node_modules", "*.egg-info")


def copy(place: Path) -> Path:
    for name in _PARTS:
        if (TOP / name).is_dir():
            shutil.copytree(TOP / name, place / name, ignore=_IGNORED)
        else:
            shutil.copy(TOP / name, place / name)
    return place


def run(place: Path, program: str, *arguments: str, home: Path | None = None) -> tuple[int, str]:
    """Exit code and output of a program of this environment, in a checkout that comes before the installed one."""
    roots = ("core", "services/api", "services/worker", "services/janitor", "client", "local")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(str(place / root) for root in roots)}
    if home:
        env["HOME"] = str(home)
        env.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments],
        cwd=place,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def change(place: Path, old: str, new: str) -> None:
    text = place.read_text()
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {place.name}"
    place.write_text(text.replace(old, new))
