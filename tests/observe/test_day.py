"""A real Prometheus watches a real installation for a day that lasts seconds (day.py): dashboards and alerts tell what
happened, and nothing else."""

from collections.abc import AsyncIterator

import pytest

from clips import Clips
from conftest import eventually, requires_tool
from observe.day import GOOD, TAKES, Day, a_day
from observe.expressions import of_dashboards

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240), requires_tool("prometheus")]

NEVER = {
    "journey: What failed: take: {{code}} ({{fault}})",
    "journey: Failed: {{status}} {{method}} {{route}}",
    "journey: Webhooks: {{outcome}}, a minute",
    "storage: Of the cap",
    "storage: Stored: cap",
    "storage: Stored: room is made above",
    "storage: Stored: until",
    "storage: What failed: {{chore}}",
    "work: Lost: workers that noticed",
}
"""What did not happen: no take, no request and no chore failed, no webhooks were asked for, there is no cap, and nobody
thawed."""
PERHAPS = {
    "journey: Refused: {{status}} {{method}} {{route}}",
    "storage: Errors: object store: {{kind}}",
    "storage: Errors: database: {{kind}}",
    "work: FFmpeg: {{ended}}",
    "work: Speed: times real time",
    "work: Cost: CPU seconds",
}
"""What a busy machine may bring, or may have passed too fast for two scrapes."""


@pytest.fixture(scope="module")
async def day(tmp_path_factory: pytest.TempPathFactory, clips: Clips) -> AsyncIterator[Day]:
    async with a_day(tmp_path_factory.mktemp("day"), clips) as day:
        await eventually(lambda: day.prometheus.ask('retake_janitor_chore_items{chore="purge"} == 1'), within=20)
        yield day


async def test_every_panel_shows_something_but_for_what_never_happened(day: Day) -> None:
    silent = set()
    for expression in of_dashboards():
        name = f"{expression.place}: {expression.legend}".removesuffix(": ")
        if not await day.prometheus.ask(expression.filled_in(__rate_interval="30s", __range="5m", namespace=".*")):
            silent.add(name)

    assert silent - PERHAPS == NEVER


SHOWN = {
    "journey: Jobs accepted": 2,
    "journey: Videos accepted": len(GOOD) + 1 + 1,
    "journey: Takes finished": len(GOOD) * TAKES,
    "journey: Failed by our fault": 0,
    "journey: Requests failed": 0,
    "journey: What failed: video: {{code}} ({{fault}})": 1,
    "journey: Webhooks: waiting": 0,
    "journey: At once: of these listeners": 1,
    "work: Parts that wait": 0,
    "work: Slots idle": 3,
    "work: Slots busy": 0,
    "work: Workers": 1,
    "work: Lost: taken back from lost workers": 3,
    "work: Hints: in the stream": 0,
    "storage: Objects without a row": 0,
    "storage: Chores failed": 0,
}


async def test_panels_show_what_happened(day: Day) -> None:
    shown = {}
    for expression in of_dashboards():
        name = f"{expression.place}: {expression.legend}".removesuffix(": ")
        if name in SHOWN:
            asked = expression.filled_in(__rate_interval="30s", __range="5m", namespace=".*")
            shown[name] = await day.prometheus.one(asked)

    assert shown == SHOWN


async def test_what_rows_tell_is_exact_though_a_worker_was_killed(day: Day) -> None:
    ask = day.prometheus
    (made,) = await day.rows("SELECT sum(size)::float8 AS bytes, sum(duration) AS seconds FROM variation")
    (ledger,) = await day.rows("SELECT sum(bytes)::float8 AS bytes FROM storage")

    assert await ask.one("retake_source_bytes_accepted_total") == day.uploaded
    assert await ask.one("retake_take_bytes_total") == made["bytes"]
    assert await ask.one("retake_take_seconds_total") == pytest.approx(made["seconds"])
    assert await ask.one("retake_storage_used_bytes") == ledger["bytes"]
    assert await ask.one("retake_parts_lost_total") == day.lost == 3
    assert await ask.by("state", "retake_jobs_ended_total") == {"completed": 1, "failed": 0, "cancelled": 0}
    assert await ask.by("because", "retake_jobs_expired_total") == {"age": 0, "space": 0, "deleted": 1}
    assert await ask.by("code", "retake_videos_failed_total > 0") == {"truncated": 1}
    assert await ask.by("fault", "retake_videos_failed_total > 0") == {"file": 1}
    assert await ask.one("sum (retake_takes_failed_total)") == 0
    for histogram in ("retake_first_take_seconds", "retake_job_seconds"):
        assert await ask.one(f"{histogram}_count") == await ask.one(f'{histogram}_bucket{{le="+Inf"}}') == 1
    (job,) = await day.rows("SELECT extract(epoch FROM ended_at - created_at)::float8 AS s FROM job WHERE NOT kept "
                            "AND state = 'completed'")  # fmt: skip
    assert await ask.one("retake_job_seconds_sum") == pytest.approx(job["s"])


async def test_what_processes_count_is_what_they_did(day: Day) -> None:
    ask = day.prometheus
    sent = 'retake_http_sent_bytes_total{method="GET",route="/api/jobs/{job_id}/download"}'

    assert await ask.one(sent) == day.downloaded
    assert day.uploaded < (await ask.one('retake_http_received_bytes_total{route="/api/jobs"}') or 0)
    assert await ask.by("route", 'retake_http_requests_total{status="404"}') == {"/api/jobs/{job_id}": 1, "other": 2}
    assert await ask.by("method", 'retake_http_requests_total{status="202"}') == {"POST": 2, "DELETE": 1}
    assert await ask.one('retake_worker_parts_total{kind="render",outcome="done"}') == 3, (
        "of the worker that came after"
    )
    assert (await ask.one('retake_ffmpeg_cpu_seconds_total{job="worker"}') or 0) > 0
    ready = await ask.by("part", "min by (part) (retake_ready)")
    assert ready == {"postgres": 1, "storage": 1, "queue": 1, "scratch": 1}


async def test_the_alerts_that_should_fire_did_and_no_others(day: Day) -> None:
    since = int((await day.prometheus.one("vector(time())") or 0) - day.began - 3)
    missing = await day.prometheus.by("layer", "retake_sandbox_layers == 0")

    fired = await day.prometheus.by(
        "alertname", f'count by (alertname) (max_over_time(ALERTS{{alertstate="firing"}}[{since}s]))'
    )

    assert set(fired) - {"RetakeSandboxLayerMissing"} == {"RetakeJanitorSilent", "RetakeWorkersLost"}
    assert ("RetakeSandboxLayerMissing" in fired) == bool(missing)
    await eventually(lambda: day.prometheus.ask('absent(ALERTS{alertname="RetakeJanitorSilent"})'), within=20)
