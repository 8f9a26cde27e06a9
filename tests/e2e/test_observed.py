"""What can be seen of a job from outside: its trace, its story, and no secret (watched.py is what happened to it)."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from clips import Clips
from collector import collecting
from e2e.watched import ASKED, CALLER, OF_THE_API, OF_THE_WORKER, PLANTED, Seen, observed

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, clips: Clips) -> Iterator[Seen]:
    with collecting() as traces:
        yield asyncio.run(observed(tmp_path_factory.mktemp("observed"), clips, traces))


def test_a_job_is_one_tree_below_the_request_that_made_it_across_all_processes(seen: Seen) -> None:
    tree = seen.tree

    roots = [span for span in tree.values() if span.parent not in tree]
    assert [(span.name, span.parent) for span in roots] == [("POST /api/jobs", CALLER)]
    below = {(span.name, tree[span.parent].name) for span in tree.values() if span.parent in tree}
    assert below >= {
        ("upload", "POST /api/jobs"), ("accept", "POST /api/jobs"), ("announce", "accept"), ("claim", "announce"),
        ("inspect", "announce"), ("render", "announce"), ("fetch", "inspect"), ("ffmpeg", "inspect"),
        ("commit", "inspect"), ("fetch", "render"), ("encode", "render"), ("ffmpeg", "encode"), ("store", "render"),
        ("commit", "render"), ("webhook", "accept"), ("download", "accept"),
    }  # fmt: skip
    assert {span.name for span in tree.values() if span.service == "retake-api"} == {"POST /api/jobs", *OF_THE_API}
    assert {span.name for span in tree.values() if span.service == "retake-worker"} == OF_THE_WORKER
    assert {span.about["retake.job"] for span in tree.values() if "retake.job" in span.about} == {seen.job}


def test_spans_say_which_part_take_and_outcome_they_are_of(seen: Seen) -> None:
    claims = {(span.about["retake.part"], span.about.get("retake.claim")) for span in seen.named("claim")}
    outcomes = {"retake.claim" in span.about: span.about["retake.outcome"] for span in seen.named("claim")}
    stored = {span.about["retake.take"] for span in seen.named("store")}
    committed = {span.about["retake.take"] for span in seen.named("commit") if "retake.take" in span.about}
    (render,) = seen.named("render")

    assert (render.about["retake.part"], render.about["retake.claim"]) in claims
    assert render.about["retake.outcome"] == "done"
    assert outcomes == {True: "claimed", False: "refused"}  # what was announced twice
    assert stored == committed == {1, 2}
    assert [span.about["retake.takes"] for span in seen.named("encode")] == [[1, 2]]
    assert {span.about["retake.outcome"] for span in seen.named("inspect")} == {"done", "failed"}
    assert "corrupt" in {span.about.get("retake.outcome") for span in seen.named("commit")}
    assert [span.failed for span in seen.named("webhook")].count(True) == 1 < seen.hooks
    assert seen.named("POST /api/jobs")[0].about["http.response.status_code"] == 202


def test_a_part_that_is_announced_anew_or_tried_again_joins_the_tree(seen: Seen) -> None:
    told = [(span.about["retake.part"], span.about["retake.generation"]) for span in seen.named("announce")]
    inspected = [span.about["retake.claim"] for span in seen.named("inspect") if span.about["retake.video"] == seen.bad]

    assert len(set(told)) == len(told)
    assert min(told) == (min(told)[0], 1)
    assert (min(told)[0], 2) in told  # the worker did not come
    assert len(inspected) == len(set(inspected)) == 2  # at first, and by hand


def test_a_download_is_linked_to_the_request_that_asked_for_it(seen: Seen) -> None:
    requests = {span.id: span for span in seen.traces.spans if span.name == "GET /api/jobs/{job_id}/download"}

    asked = [requests[link] for span in seen.named("download") for link in span.links]

    assert len(asked) == len(seen.named("download")) >= 1
    assert all(span.trace != ASKED and span.about["retake.job"] == seen.job for span in asked)


def test_the_story_of_a_job_is_told_in_order_across_all_services(seen: Seen) -> None:
    head, *lines = seen.story.splitlines()
    told = [re.sub(r"(part|claim|generation)=\d+ ?|seconds=\S+|video=(\w+) ?", _short(seen), line) for line in lines]

    assert head == f"job {seen.job}, trace {ASKED}"
    times = [line[:12] for line in lines if re.match(r"\d\d:", line)]
    assert times == sorted(times)
    in_order(
        told,
        r"api +accepted +videos=2 takes=4", r"api +request +POST /api/jobs 202",
        r"api +part announced +good kind=inspect", r"worker-1 +part claimed +good kind=inspect",
        r"worker-1 +video planned +good takes=2", r"api +part announced +good kind=render",
        r"worker-1 +part claimed +good kind=render", r"worker-1 +take completed +good take=1",
        r"worker-1 +take completed +good take=2", r"worker-1 +video completed +good", r"GET /api/jobs/\S+/download 200",
    )  # fmt: skip
    in_order(
        told,
        *2 * (r"api +part announced +bad kind=inspect", r"worker-1 +part claimed +bad kind=inspect",
              r"worker-1 +bad input +bad code=corrupt", r"why\|", r"worker-1 +video failed +bad",
              r"worker-1 +job completed"),
    )  # fmt: skip
    assert "requests that only looked at it are not shown." in lines[-1]
    assert not any(f"GET /api/jobs/{seen.job} " in line for line in lines)


def _short(seen: Seen) -> Any:
    def short(found: re.Match[str]) -> str:
        return "" if found[2] is None else "bad " if seen.bad.startswith(found[2]) else "good "

    return short


def in_order(lines: list[str], *patterns: str) -> None:
    left = iter(lines)
    for pattern in patterns:
        assert any(re.search(pattern, line) for line in left), f"{pattern} is not there, or not after the one before"


def test_no_log_and_no_span_holds_a_secret(seen: Seen) -> None:
    logs = {log.name: log.read_bytes() for log in (seen.data / "logs").iterdir() if log.is_file()}

    assert {"api.log", "worker-1.log", "janitor.log", "postgres.log", "nats.log", "s3.log"} <= set(logs)
    assert b"trouble with NATS" in logs["api.log"] + logs["worker-1.log"]  # what went wrong was told
    told = logs | {f"span {n}": body for n, body in enumerate(seen.traces.bodies)}
    found = [(where, what) for what, secret in seen.secrets.items() for where in told if secret.encode() in told[where]]
    assert len(seen.secrets) == 10
    assert found == []


def test_the_trace_stands_on_the_lines_of_its_job(seen: Seen) -> None:
    lines = [json.loads(line) for line in (seen.data / "logs" / "worker-1.log").read_text().splitlines()]

    traces = {line.get("trace") for line in lines if line.get("job") == seen.job and "part" in line}

    assert traces == {ASKED}


def test_the_receiver_is_shown_its_headers(seen: Seen) -> None:
    sent = seen.traces.headers[0]

    assert (sent["x-tenant"], sent["authorization"]) == ("retake", f"Bearer {PLANTED}-collector")
    assert sent["content-type"] == "application/x-protobuf"


def test_a_receiver_that_hangs_holds_up_neither_jobs_nor_the_end(seen: Seen) -> None:
    lines = (seen.data / "logs" / "api.log").read_text().splitlines()

    assert seen.traces.hung.is_set()
    assert (seen.later["status"], seen.later["completedVariations"]) == ("completed", 2)
    assert seen.stopped == 0
    assert len([line for line in lines if "traces do not arrive" in line]) <= 1
