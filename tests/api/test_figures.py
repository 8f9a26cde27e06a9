"""What the API tells Prometheus of storage and of the janitor's last pass."""

import pytest

from footage import Footage
from retake import metrics
from retake.blobs.bucket import Blobs
from retake.store.connect import Database
from retake.store.janitor_runs import begin_run, end_run
from retake_api.figures import look

pytestmark = pytest.mark.anyio


def told(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


async def test_storage_and_the_last_pass_that_ended_are_told(database: Database, blobs: Blobs) -> None:
    footage = Footage(database, blobs)
    job = await footage.finished()
    await end_run(database, await begin_run(database), {"expire": 7}, {"orphan_objects": "too many", "purge": "no"})
    await look(database)
    first = [told("retake_janitor_chore_failed", chore=chore) for chore in ("expire", "orphan_objects", "purge")]
    await end_run(database, await begin_run(database), {"expire": 2, "purge": 1}, {"orphan_objects": "too many"})
    await begin_run(database)

    await look(database)

    assert told("retake_storage_used_bytes") == await footage.charged(job)
    assert first == [0, 1, 1]
    assert [told("retake_janitor_chore_items", chore=chore) for chore in ("expire", "purge")] == [2, 1]
    assert [told("retake_janitor_chore_failed", chore=chore) for chore in ("orphan_objects", "purge")] == [1, 0]
    assert told("retake_janitor_ended_timestamp_seconds")
