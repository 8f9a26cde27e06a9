"""The queue: how many jobs and videos of a workspace may be under way."""

import asyncio
from uuid import uuid4

import pytest

from retake.store.jobs import NewJob, accept
from retake.store.room import Queue, QueueFull, reserve
from store.scene import Scene

pytestmark = pytest.mark.anyio


async def test_a_queue_that_is_full_takes_no_more_jobs_until_one_has_ended(scene: Scene) -> None:
    await scene.job()
    await scene.ended()
    source = await scene.source()

    for one in (Queue(jobs=1, videos=9), Queue(jobs=9, videos=1)):
        with pytest.raises(QueueFull):
            await accept(scene.database, NewJob(scene.workspace, [("a", source)], 1, seed=1), queue=one)
        with pytest.raises(QueueFull):
            await reserve(scene.database, uuid4(), scene.workspace, 1, cap=None, queue=one)
    await accept(scene.database, NewJob(scene.workspace, [("a", source)], 1, seed=1), queue=Queue(jobs=2, videos=2))

    assert len(await scene.sql("SELECT FROM job")) == 3


async def test_of_many_jobs_at_once_only_those_the_queue_holds_are_taken(scene: Scene) -> None:
    source = await scene.source()
    new = [NewJob(scene.workspace, [("a", source)], 1, seed=1) for _ in range(8)]

    ended = await asyncio.gather(
        *(accept(scene.database, one, queue=Queue(jobs=3, videos=99)) for one in new), return_exceptions=True
    )

    assert sum(isinstance(result, QueueFull) for result in ended) == 5
    assert len(await scene.sql("SELECT FROM job")) == 3
