"""`make logs` over logs as they may lie there: grown, rotated, torn, and written to by strangers."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retake_local.child import LOG_SIZE, trim
from retake_local.story import LAST, Grown, tell_all, tell_job

JOB = "8f14e45f-ceea-467f-a0e6-6a1c0f0d2a1b"
OTHER = "00000000-ceea-467f-a0e6-6a1c0f0d2a1b"
VIDEO = "c9f0f895-fb98-4b91-99d1-e0f5a1b2c3d4"


def said(second: float, event: str, **more: Any) -> str:
    time = f"2026-11-20T17:00:{second:09.6f}Z"
    return json.dumps({"component": "x", "level": "info", "timestamp": time, "event": event, **more}) + "\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    asked = {"method": "GET", "route": "/api/jobs/{job_id}", "path": f"/api/jobs/{JOB}", "status": 200, "job": JOB}
    (tmp_path / "api.log.1").write_text(
        said(1, "storage is tight", request="r1")
        + said(1.5, "accepted", job=JOB, request="r1", videos=1)
        + said(1.25, "accepted", job=OTHER, request="r2")
    )
    (tmp_path / "api.log").write_text(
        said(
            1.75,
            "request",
            method="POST",
            route="/api/jobs",
            path="/api/jobs",
            status=202,
            request="r1",
            trace="another",
        )
        + said(4, "request", **asked, request="r3")
        + said(9, "request", **asked | {"status": 503}, request="r4")
        + said(9.5, "request", **asked | {"route": "/api/jobs/{job_id}/download"}, request="r5")
    )
    (tmp_path / "worker-1.log").write_text(
        said(3, "part claimed", job=JOB, video=VIDEO, part=7, claim=3, kind="inspect", trace="4bf9")
        + said(8, "bad input", job=JOB, level="warning", why="corrupt\n" + "".join(f"row {n}\n" for n in range(99)))
        + '{"half": '
    )
    expired = {"timestamp": "2026-11-21T00:00:00Z", "event": "job expired", "job": JOB}
    (tmp_path / "janitor.log").write_text(json.dumps(expired) + "\n")
    (tmp_path / "s3.log").write_text(f"2026/11/20 17:00:05.000000 ERROR : results/{JOB}/x: no space left\n")
    return tmp_path


def test_the_story_of_a_job_is_in_order_across_all_parts_and_files(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = tell_job(logs, JOB)

    rows = capsys.readouterr().out.splitlines()
    assert code == 0
    assert rows[:2] == [f"job {JOB}, trace 4bf9", "2026-11-20 UTC"]
    assert rows[2:7] == [
        "17:00:01.000  api        storage is tight",
        "17:00:01.500  api        accepted             videos=1",
        "17:00:01.750  api        request              POST /api/jobs 202",
        "17:00:03.000  worker-1   part claimed         video=c9f0f895 part=7 claim=3 kind=inspect",
        f"17:00:05.000  s3         2026/11/20 17:00:05.000000 ERROR : results/{JOB}/x: no space left",
    ]
    assert rows[7] == "17:00:08.000  worker-1 ! bad input"
    tail = [row.partition("why| ")[2] for row in rows[8:22]]
    assert tail == ["corrupt", "(87 lines)", *(f"row {n}" for n in range(87, 99))]
    assert rows[22] == f"17:00:09.000  api        request              GET /api/jobs/{JOB} 503"
    assert rows[23:] == [
        f"17:00:09.500  api        request              GET /api/jobs/{JOB} 200",
        "2026-11-21 UTC",
        "00:00:00.000  janitor    job expired",
        "1 requests that only looked at it are not shown.",
    ]


@pytest.mark.parametrize("asked", [OTHER.replace("0", "1"), "nothing", "\033[2Jx"])
def test_a_job_that_no_log_knows_is_said_so(logs: Path, asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = tell_job(logs, asked)

    told = capsys.readouterr().out
    assert code == 1
    assert told.count("\n") == 1
    assert told.rstrip("\n").isprintable()
    assert "No log in" in told or "is not the id of a job" in told


def test_what_strangers_wrote_does_not_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\033[31mred\r\nforged\x07 \u202eback"
    (tmp_path / "api.log").write_text(
        said(1, hostile, job=JOB, name=hostile) + said(2, "request", job=JOB, method="PUT", path=hostile, status=404)
    )

    tell_job(tmp_path, JOB)

    rows = capsys.readouterr().out.splitlines()
    assert all(row.isprintable() for row in rows)
    assert len([row for row in rows if row.startswith("17:00:0")]) == 2


def test_the_last_lines_of_everything_are_shown_once_when_nobody_watches(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (logs / "postgres.log").write_text("2026-11-20 17:00:02.5 UTC [9] LOG:  ready\n  a line without a time\n")
    (logs / "nats.log").write_text("".join(f"[7] 2026/11/20 16:59:{n % 60:02}.000001 [INF] {n}\n" for n in range(999)))

    code = tell_all(logs)

    rows = capsys.readouterr().out.splitlines()
    assert code == 0
    shown = [row for row in rows if row.startswith(("16:", "17:"))]
    assert len(shown) == LAST - 1
    assert rows[-1].endswith("job expired          job=" + JOB)  # the day after
    assert shown == sorted(shown, key=lambda row: row[:12])
    after = next(n for n, row in enumerate(rows) if "LOG:  ready" in row)
    assert "a line without a time" in rows[after + 1]
    assert tell_all(logs / "nowhere") == 1
    assert "make run" in capsys.readouterr().out


@pytest.fixture
def watching(logs: Path) -> Iterator[Any]:
    """`make logs` on a terminal, and what it shows."""
    ours, theirs = pty.openpty()
    program = (
        f"import sys; from pathlib import Path; from retake_local.story import tell_all; tell_all(Path({str(logs)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=theirs, stderr=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as shown:

        def until(words: bytes) -> bytes:
            text = b""
            while words not in text:
                text += shown.read(4096)
            return text

        yield until
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_on_a_terminal_it_has_colours_and_goes_on_with_what_follows_also_in_an_emptied_or_new_log(
    logs: Path, watching: Any
) -> None:
    first = watching(b"request")

    with (logs / "api.log").open("a") as log:
        log.write(said(20, "one more", job=JOB)[:-9])
        log.flush()
        log.write(said(20, "one more", job=JOB)[-9:])
    more = watching(b"one more")
    (logs / "api.log").write_text(said(30, "emptied before", job=JOB))
    emptied = watching(b"emptied before")
    (logs / "worker-2.log").write_text(said(31, "a new worker"))
    new = watching(b"a new worker")

    assert b"\033[36m" in first
    assert more.count(b"one more") == 1
    assert b"17:00:30.000" in emptied
    assert b"worker-2" in new


def test_a_line_is_read_when_all_of_it_is_there(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text(said(1, "whole") + said(2, "half")[:30])
    grown = Grown(log, 0)

    first = grown.read()
    with log.open("a") as more:
        more.write(said(2, "half")[30:])
    second = grown.read()

    assert [line.event for line in first] == ["whole"]
    assert [line.event for line in second] == ["half"]
    assert grown.read() == []


def test_a_log_that_grew_too_large_becomes_the_one_before_and_whoever_writes_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "janitor.log"
    with log.open("ab") as writer:
        writer.write(b"x" * LOG_SIZE + b"\n")
        writer.flush()

        trim(log)
        writer.write(b"after\n")
        writer.flush()
        trim(log)

    assert log.read_bytes() == b"after\n"
    assert log.with_suffix(".log.1").stat().st_size == LOG_SIZE + 1
