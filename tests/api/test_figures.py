"""What the API tells Prometheus of rows and of the stream: read when it is scraped, and absent when it cannot be."""

from collections.abc import AsyncIterator, Mapping

import pytest

from footage import Footage
from retake import metrics
from retake.blobs.bucket import Blobs
from retake.bus.errors import BusUnavailable
from retake.domain.states import Wish
from retake.domain.timing import Timing
from retake.store.announcements import mark_announced
from retake.store.connect import Database
from retake.store.janitor_runs import begin_run, end_run
from retake.store.jobs import wish
from retake.store.workspaces import ensure_workspace
from retake_api.figures import OTHERS, Figures
from store.scene import Scene

pytestmark = pytest.mark.anyio

FRESH = Timing(announce_poll=0)


def told(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def told_by(name: str, label: str, **others: str) -> Mapping[str, float]:
    """All samples of a family with these other labels, by that one."""
    return {
        sample.labels[label]: sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if sample.name == name and all(sample.labels[other] == value for other, value in others.items())
    }


@pytest.fixture
async def scene(database: Database) -> Scene:
    return Scene(database, await ensure_workspace(database, "people"))


@pytest.fixture
async def figures(database: Database) -> AsyncIterator[Figures]:
    async def messages() -> dict[str, int]:
        return {"all": 3, "unacknowledged": 1}

    yield Figures(database, FRESH, 10**9, messages)
    for figure in metrics.FROM_ROWS:
        figure.hide()


async def test_storage_and_the_last_pass_that_ended_are_told(
    database: Database, blobs: Blobs, figures: Figures
) -> None:
    footage = Footage(database, blobs)
    job = await footage.finished()
    await end_run(database, await begin_run(database), {"expire": 7}, {"orphan_objects": "too many", "purge": "no"})
    await figures.look()
    first = told_by("retake_janitor_chore_failed", "chore")
    await end_run(database, await begin_run(database), {"expire": 2, "purge": 1}, {"orphan_objects": "too many"})
    await begin_run(database)

    await figures.look()

    assert told("retake_storage_used_bytes") == await footage.charged(job)
    assert told("retake_storage_cap_bytes") == 10**9
    assert first == {"expire": 0, "orphan_objects": 1, "purge": 1}
    assert told_by("retake_janitor_chore_items", "chore") == {"expire": 2, "purge": 1}
    assert told_by("retake_janitor_chore_failed", "chore") == {"expire": 0, "purge": 0, "orphan_objects": 1}
    assert told("retake_janitor_ended_timestamp_seconds")
    assert told("retake_janitor_pass_seconds") is not None


async def test_each_part_of_the_queue_is_in_one_state_and_what_is_held_grows_not_old(
    scene: Scene, figures: Figures
) -> None:
    await scene.worker(slots=5)
    job = await scene.planned(videos=4, takes=1)
    part, other, waiting, held = await scene.parts(job, state="queued")
    await scene.claim(part["id"])
    assert await mark_announced(scene.database, other["id"], other["generation"])
    await scene.sql("UPDATE part SET not_before = now() - interval '100 s' WHERE id = %s", waiting["id"])
    await scene.sql("UPDATE part SET not_before = now() + interval '1 h' WHERE id = %s", held["id"])
    paused = await scene.job()
    await scene.sql("UPDATE part SET not_before = now() - interval '1 h' WHERE job_id = %s", paused.id)
    await wish(scene.database, paused.id, Wish.PAUSE)

    await figures.look()
    while_paused = told_by("retake_queue_parts", "state"), told("retake_queue_oldest_seconds")
    await wish(scene.database, paused.id, Wish.RUN)
    await figures.look()

    assert while_paused[0] == {"due": 1, "announced": 1, "running": 1, "held": 2}
    assert 100 <= (while_paused[1] or 0) < 160
    assert told_by("retake_queue_parts", "state") == {"due": 2, "announced": 1, "running": 1, "held": 1}
    assert told("retake_queue_oldest_seconds") < 160, "a pause is no wait"
    assert told_by("retake_fleet_slots", "state") == {"busy": 1, "idle": 4}
    assert told("retake_queue_window") == 5
    assert told_by("retake_stream_messages", "state") == {"all": 3, "unacknowledged": 1}


async def test_the_busiest_workspaces_are_named_and_all_others_are_one(scene: Scene, figures: Figures) -> None:
    for n in range(1, 9):
        owner = await ensure_workspace(scene.database, f"team-{n}")
        await scene.catalog(videos=n, workspace=owner)

    await figures.look()

    waiting = told_by("retake_workspace_parts", "workspace", state="waiting")
    assert waiting == {**{f"team-{n}": n for n in range(4, 9)}, OTHERS: 1 + 2 + 3}


async def test_what_never_happened_is_told_as_zero(scene: Scene, figures: Figures) -> None:
    await figures.look()
    before = told("retake_parts_lost_total"), told("retake_takes_failed_total", code="encoder", fault="ours")
    job = await scene.planned()
    await scene.lose(await scene.claim_next(job))

    await figures.look()

    assert before == (0, 0)
    assert told("retake_parts_lost_total") == 1
    assert told("retake_videos_failed_total", code="corrupt", fault="file") == 0
    assert told("retake_first_take_seconds_bucket", le="+Inf") == 0


async def test_rows_or_a_stream_that_cannot_be_read_are_absent_and_not_old(scene: Scene) -> None:
    reachable = True

    async def messages() -> dict[str, int]:
        if not reachable:
            raise BusUnavailable("it is away")
        return {"all": 0}

    figures = Figures(scene.database, FRESH, None, messages)
    await figures.look()
    before = {figure.name for figure in metrics.FROM_ROWS if any(family.samples for family in figure.collect())}
    reachable = False
    await scene.sql("ALTER TABLE worker RENAME TO laborer")
    await figures.look()
    after = {figure.name for figure in metrics.FROM_ROWS if any(family.samples for family in figure.collect())}
    await scene.sql("ALTER TABLE laborer RENAME TO worker")

    assert {"retake_storage_used_bytes", "retake_jobs_accepted", "retake_stream_messages"} <= before
    assert after == set()


async def test_however_many_scrape_the_rows_are_read_once(database: Database, scene: Scene) -> None:
    looks = []

    async def messages() -> dict[str, int]:
        looks.append(1)
        return {}

    figures = Figures(database, Timing(), None, messages)
    for _ in range(20):
        await figures.look()

    assert len(looks) == 1
