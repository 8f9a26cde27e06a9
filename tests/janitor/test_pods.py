"""What Kubernetes knows of workers that went away reaches their parts, and the people who wait for them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from footage import TIMING, Filmed, Footage
from janitor.kubernetes_api import PodsApi, ended, pods_api
from retake.domain.errors import OUT_OF_MEMORY, WORKER_LOST
from retake.store import fleet, parts
from retake.store.reaping import FAILURES, LOSSES, reap
from retake_janitor.pods import Cluster, run_once
from store.scene import AT_ONCE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api() -> AsyncIterator[PodsApi]:
    async with pods_api() as made:
        yield made


async def look(footage: Footage, api: PodsApi, *, dry: bool = False) -> int:
    return await run_once(footage.database, TIMING, Cluster("video", api.host), dry=dry)


async def lose(footage: Footage, job: Filmed, trying: int | None = None) -> None:
    """The worker of its next part, whose name is `worker`, goes away, and the part is taken back."""
    await footage.sql("UPDATE part SET not_before = now() WHERE job_id = %s", job.id)
    claimed = (await footage.claims(job))[0]
    if trying is not None:
        await parts.name_take(footage.database, claimed, trying)
    await footage.sql("UPDATE part SET lease_until = now() WHERE state = 'running'")
    assert (await reap(footage.database, AT_ONCE)).parts >= 1


async def now(footage: Footage, ago: str = "0") -> str:
    (row,) = await footage.sql('SELECT to_char(now() - %s::interval, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') AS at', ago)
    return row["at"]


async def reasons(footage: Footage) -> list[str | None]:
    return [row["because"] for row in await footage.sql("SELECT because FROM loss ORDER BY id")]


async def test_a_worker_that_needed_too_much_memory_is_blamed_when_its_video_is_given_up(
    footage: Footage, api: PodsApi
) -> None:
    job = await footage.accepted()
    await lose(footage, job)
    api.has("worker", **ended("OOMKilled", await now(footage), before=True))

    explained = await look(footage, api)
    again = await look(footage, api)
    for _ in range(FAILURES - 1):
        await lose(footage, job)

    assert (explained, again) == (1, 0)
    assert await footage.sql("SELECT error_code, error FROM video") == [
        {"error_code": OUT_OF_MEMORY.code, "error": OUT_OF_MEMORY.sentence}
    ]


async def test_a_take_that_was_given_up_before_says_why_and_its_sisters_are_left_alone(
    footage: Footage, api: PodsApi
) -> None:
    job = await footage.planned(takes=1)
    for _ in range(LOSSES):
        await lose(footage, job, trying=1)
    before = await footage.sql("SELECT state, error_code FROM variation")
    api.has("worker", **ended("OOMKilled", await now(footage)))

    await look(footage, api)

    assert before == [{"state": "failed", "error_code": WORKER_LOST.code}]
    assert await footage.sql("SELECT state, error_code, error FROM variation") == [
        {"state": "failed", "error_code": OUT_OF_MEMORY.code, "error": OUT_OF_MEMORY.sentence}
    ]
    told = await footage.sql("SELECT body FROM event WHERE kind = 'explained'")
    assert {(row["body"]["worker"], row["body"]["because"], row["body"]["index"]) for row in told} == {
        ("worker", "out_of_memory", 1)
    }


async def test_a_worker_that_its_machine_put_out_is_told_from_one_that_crashed(footage: Footage, api: PodsApi) -> None:
    job = await footage.accepted()
    for _ in range(FAILURES):
        await lose(footage, job)
    api.has(
        "worker", phase="Failed", reason="Evicted",
        conditions=[{"type": "DisruptionTarget", "lastTransitionTime": await now(footage)}],
    )  # fmt: skip

    await look(footage, api)

    assert set(await reasons(footage)) == {"evicted"}
    ((video,)) = await footage.sql("SELECT error_code, error FROM video")
    assert video["error_code"] == WORKER_LOST.code
    assert "short of memory or disk" in video["error"]


@pytest.mark.parametrize(
    ("name", "reason", "ago"),
    [
        ("another", "OOMKilled", "0"),
        ("worker", "Error", "0"),
        ("worker", "OOMKilled", "10 min"),
        ("worker", "OOMKilled", "-10 min"),
    ],
)
async def test_what_does_not_fit_a_loss_explains_nothing(
    footage: Footage, api: PodsApi, name: str, reason: str, ago: str
) -> None:
    await lose(footage, await footage.accepted())
    api.has(name, **ended(reason, await now(footage, ago)))

    assert await look(footage, api) == 0
    assert await reasons(footage) == [None]


async def test_a_silent_worker_without_a_pod_is_gone_and_others_are_not(footage: Footage, api: PodsApi) -> None:
    for name in ("vanished", "ended", "stuck", "outside"):
        await fleet.seen(footage.database, name, version="1", recipe_version=1, slots=1)
    await footage.sql("UPDATE worker SET seen_at = now() - interval '1 h' WHERE name <> 'outside'")
    api.has("stuck")
    api.has("ended", phase="Failed")

    found = await look(footage, api)

    assert found == 2
    gone = await footage.sql("SELECT name FROM worker WHERE gone_at IS NOT NULL ORDER BY name")
    assert [row["name"] for row in gone] == ["ended", "vanished"]


async def test_a_dry_look_says_what_it_would_do_and_changes_nothing(footage: Footage, api: PodsApi) -> None:
    await lose(footage, await footage.accepted())
    await fleet.seen(footage.database, "vanished", version="1", recipe_version=1, slots=1)
    await footage.sql("UPDATE worker SET seen_at = now() - interval '1 h'")
    api.has("worker", **ended("OOMKilled", await now(footage)))

    dry = await look(footage, api, dry=True)

    assert dry == 2
    assert await reasons(footage) == [None]
    assert await footage.sql("SELECT name FROM worker WHERE gone_at IS NOT NULL") == []
    assert await look(footage, api) == 2


async def test_many_pods_come_in_pages_of_workers_only(footage: Footage, api: PodsApi) -> None:
    await lose(footage, await footage.accepted())
    for number in range(4):
        api.has(f"other-{number}")
    api.has("worker", **ended("OOMKilled", await now(footage)))
    api.page = 2

    await look(footage, api)

    assert await reasons(footage) == ["out_of_memory"]
    assert len(api.asked) == 3
    assert all("/namespaces/video/pods?" in asked and "component%3Dworker" in asked for asked in api.asked)


@pytest.mark.parametrize(
    "trouble", [{"status": 403}, {"status": 500}, {"garbled": True}, {"host": "http://127.0.0.1:1"}]
)
async def test_a_cluster_that_will_not_tell_stops_nothing(
    footage: Footage, api: PodsApi, trouble: dict[str, Any]
) -> None:
    for name, value in trouble.items():
        setattr(api, name, value)

    with capture_logs() as logs:
        found = await look(footage, api)

    assert found == 0
    assert [entry["event"] for entry in logs] == ["Kubernetes does not say why workers went away"]


async def test_outside_a_cluster_nobody_is_asked(footage: Footage, tmp_path: Path) -> None:
    inside = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    without_account = Cluster.around(inside, tmp_path)
    (tmp_path / "token").write_text("token")
    (tmp_path / "namespace").write_text("video\n")

    assert Cluster.around({}, tmp_path) is None
    assert without_account is None
    assert Cluster.around(inside, tmp_path) == Cluster("video")
    assert await run_once(footage.database, TIMING, None) == 0
