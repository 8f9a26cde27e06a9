"""`python -m retake_local run | status | stop | doctor | logs [job]`: what the make targets of the same names call.

`serve` runs one of the servers alone, in a pod.
"""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from retake.settings import Laptop, SettingsError, read
from retake_local.alone import serve
from retake_local.child import ChildError
from retake_local.folder import Refused, is_locked, read_state
from retake_local.story import tell_all, tell_job
from retake_local.up import run, say


def status(environ: Mapping[str, str]) -> int:
    """A line per part; exit code 0 when all are up, 1 when one is not, 3 when retake does not run."""
    data = Path(read(Laptop, environ).data).absolute()
    state = read_state(data)
    if not is_locked(data) or state is None:
        say(f"retake does not run on {data}. `make run` starts it.")
        return 3
    say(f"{state['url'] or 'starting'}  (process {state['pid']}, logs in {data}/logs)")
    for part in state["parts"]:
        again = f"  restarted {part['restarts']} times" if part["restarts"] else ""
        say(f"  {part['name']:<12} {'up' if part['up'] else 'down':<5} pid {part['pid'] or '-'}{again}")
    return 0 if all(part["up"] for part in state["parts"]) else 1


def stop(environ: Mapping[str, str]) -> int:
    data = Path(read(Laptop, environ).data).absolute()
    state = read_state(data)
    if not is_locked(data) or state is None:
        say(f"retake does not run on {data}.")
        return 0
    os.kill(state["pid"], signal.SIGTERM)
    deadline = time.monotonic() + 15
    while is_locked(data):
        if time.monotonic() > deadline:
            say(f"retake (process {state['pid']}) did not stop within 15 s.")
            return 1
        time.sleep(0.05)
    say("stopped")
    return 0


def doctor(environ: Mapping[str, str], words: Sequence[str]) -> int:
    """`python -m retake doctor` with the settings the running services were given."""
    data = Path(read(Laptop, environ).data).absolute()
    state = read_state(data)
    if not is_locked(data) or state is None:
        say(f"retake does not run on {data}, so there is nothing to look at. `make run` starts it.")
        return 3
    if not state["url"]:
        say(f"retake is still starting on {data}; ask again when it is up.")
        return 3
    given: dict[str, str] = json.loads((data / "environment.json").read_text())
    return subprocess.run(
        [sys.executable, "-m", "retake", "doctor", *words], env={**environ, **given}, check=False
    ).returncode


def logs(environ: Mapping[str, str], job: str) -> int:
    folder = Path(read(Laptop, environ).data).absolute() / "logs"
    try:
        return tell_job(folder, job) if job else tell_all(folder)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # whoever read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def main(verb: str, words: Sequence[str], environ: Mapping[str, str]) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        match verb:
            case "run":
                return asyncio.run(run(environ))
            case "status":
                return status(environ)
            case "stop":
                return stop(environ)
            case "doctor":
                return doctor(environ, words)
            case "logs":
                return logs(environ, "".join(words))
            case "serve":
                serve(words, environ)
            case _:
                say("usage: python -m retake_local run | status | stop | doctor | logs [job] | serve")
                return 2
    except (Refused, SettingsError, ChildError) as error:
        say(str(error))
        return 2


sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:], os.environ))
