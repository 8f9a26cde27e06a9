"""What a process logs, as it comes out of it."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from retake.api_keys import make
from retake.logs import MOST, rendered
from retake_api.signing import Signer

KEY, _ = make("nightly", "team-a", "read")
TOKEN = Signer(b"k" * 32).sign("session", "somebody", datetime(2026, 1, 1, tzinfo=UTC))
SECRETS = {
    "an API key": (KEY, KEY),
    "a token": (f"Bearer {TOKEN}", TOKEN.partition(".")[2]),
    "a signed link": (f"https://here/api/jobs/1/download?link={TOKEN}&x=1", TOKEN.partition(".")[2]),
    "a webhook secret": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    "a database address": ("postgresql://retake:hunter2@db:5432/retake", "hunter2"),
    "a NATS address": ("no answer from nats://t0ken-0f-nats@nats:4222", "t0ken-0f-nats"),
    "a row": ('violates "sentence"\nDETAIL:  Failing row contains (1, {"callbackUrl": "https://h/s3cret"}).', "s3cret"),
}


def line(**event: Any) -> dict[str, Any]:
    text = rendered(None, "info", event)
    assert "\n" not in text
    assert text.isascii()
    told: dict[str, Any] = json.loads(text)
    return told


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_what_looks_like_a_secret_of_ours_is_struck_out_wherever_it_stands(text: str, secret: str) -> None:
    told = line(event="trouble", error=text, deep={"in": [text]}, exception=f"Traceback\n  {text}\n  at the end")

    assert secret not in json.dumps(told)
    assert "***" in told["error"]


def test_ids_sums_and_plain_addresses_stay_as_they_are() -> None:
    plain = {
        "job": "8f14e45f-ceea-467f-a0e6-6a1c0f0d2a1b",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "key": "results/8f14e45f-ceea-467f-a0e6-6a1c0f0d2a1b/f3/3.17.mp4",
        "url": "https://example.org/hook?mail=me@example.org",
    }

    assert line(**plain) == plain


def test_a_line_is_one_line_and_no_value_is_longer_than_a_page_whatever_strangers_write() -> None:
    hostile = 'x"\n{"level": "error"}\r\033[2J\u2028\ud800' + "a" * 1_000_000 + "the end"

    told = line(event="request", path=hostile)

    assert len(told["path"]) < MOST + 10
    assert told["path"].startswith('x"\n{"level": "error"}\r\033[2J\u2028')
    assert told["path"].endswith("the end")


WRITING = """
from retake import logs
logs.configure("worker", "info")
for _ in range(3):
    logs.logger("retake_worker").info("lost")
import sys
sys.stderr.write("went on")
"""


def test_a_disk_that_is_full_costs_the_line_and_not_the_work() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-u", "-c", WRITING], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert (done.returncode, done.stderr) == (0, "went on")


DYING = """
import sys, threading
from retake import logs
logs.configure("worker", "info")
thread = threading.Thread(target=lambda: {}["in a thread"])
thread.start()
thread.join()
logs.logger("retake_worker.consume").info("the last line", job="1")
raise RuntimeError("nobody foresaw this")
"""


def test_an_error_that_nobody_caught_is_one_line_with_its_stack_and_ends_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", DYING], capture_output=True, text=True, check=False)

    thread, last, uncaught = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (1, "")
    assert [one["event"] for one in (thread, last, uncaught)] == ["uncaught", "the last line", "uncaught"]
    assert "KeyError: 'in a thread'" in thread["exception"]
    assert {name: last[name] for name in ("component", "logger", "level", "job")} == {
        "component": "worker",
        "logger": "retake_worker.consume",
        "level": "info",
        "job": "1",
    }
    assert uncaught["level"] == "critical"
    assert uncaught["exception"].startswith("Traceback")
    assert uncaught["exception"].endswith("RuntimeError: nobody foresaw this")
