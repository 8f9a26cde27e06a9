import asyncio
from uuid import uuid4

import pytest

from conftest import eventually
from retake.store.idempotency import Answered, free_key, renew_key, take_key
from retake.store.jobs import KeyLost, KeyOwner, NewJob, accept
from retake.store.room import StorageFull
from retake.store.sources import SourceGone, begin_source, sweep_source
from retake.store.workspaces import ensure_workspace
from store.scene import ESTIMATE, SIZE, TIMING, Scene

pytestmark = [pytest.mark.anyio, pytest.mark.unsound("I12", why="the answers of keys are made up")]

USED = 5 * SIZE  # of the ledger, by five sources


async def used(scene: Scene) -> int:
    (row,) = await scene.sql("SELECT bytes FROM storage WHERE workspace = %s", scene.workspace)
    return int(row["bytes"])


async def request(scene: Scene, videos: int = 1, takes: int = 2) -> NewJob:
    named = [(f"{number}.mp4", await scene.source()) for number in range(videos)]
    return NewJob(scene.workspace, named, takes, seed=1)


async def owner(scene: Scene, key: str = "key") -> KeyOwner:
    """Of a key that was just taken."""
    mine = KeyOwner(key, uuid4(), "fingerprint", {"jobId": "1"})
    assert await take_key(scene.database, scene.workspace, key, mine.owner, TIMING) is True
    return mine


async def lapse(scene: Scene) -> None:
    await scene.sql("UPDATE idempotency SET lease_until = now() - interval '1 s'")


async def test_a_job_is_queued_with_one_inspect_part_per_video_and_one_event(scene: Scene) -> None:
    new = await request(scene, videos=2, takes=3)

    videos = await accept(scene.database, new)

    assert await scene.sql("SELECT state, wish, started_at FROM job WHERE id = %s", new.id) == [
        {"state": "queued", "wish": "run", "started_at": None}
    ]
    assert await scene.sql("SELECT video_id, kind, state, generation FROM part ORDER BY id") == [
        {"video_id": video, "kind": "inspect", "state": "queued", "generation": 1} for video in videos
    ]
    assert await scene.sql("SELECT job_id, kind, body FROM event") == [
        {"job_id": new.id, "kind": "job", "body": {"status": "queued"}}
    ]


async def test_a_job_reserves_what_its_takes_may_need(scene: Scene) -> None:
    new = await request(scene, videos=2, takes=3)

    await accept(scene.database, new)

    assert await used(scene) == 2 * SIZE + 2 * 3 * ESTIMATE


async def test_one_source_may_be_two_videos_of_a_job(scene: Scene) -> None:
    source = await scene.source()

    videos = await accept(scene.database, NewJob(scene.workspace, [("a.mp4", source), ("b.mp4", source)], 1, seed=1))

    assert len(set(videos)) == 2


async def test_a_job_without_videos_is_a_mistake_of_ours(scene: Scene) -> None:
    with pytest.raises(AssertionError, match="would never end"):
        await accept(scene.database, NewJob(scene.workspace, [], 1, seed=1))


async def test_a_source_that_is_not_complete_is_refused_and_nothing_is_left(scene: Scene) -> None:
    ready, unfinished = await scene.source(), await begin_source(scene.database, scene.workspace)
    before = await scene.everything()

    with pytest.raises(SourceGone, match="1 of 2 sources"):
        await accept(scene.database, NewJob(scene.workspace, [("a", ready), ("b", unfinished)], 1, seed=1))

    assert await scene.everything() == before


async def test_a_source_whose_bytes_are_gone_is_refused(scene: Scene) -> None:
    job = await scene.ended()
    await sweep_source(scene.database)
    source = (await scene.one("video", job.video))["source_id"]

    with pytest.raises(SourceGone):
        await accept(scene.database, NewJob(scene.workspace, [("a", source)], 1, seed=1))


async def test_a_source_of_another_workspace_is_refused_like_one_that_does_not_exist(scene: Scene) -> None:
    theirs = await scene.source(workspace=await ensure_workspace(scene.database, "others"))
    refusals = []

    for source in (theirs, uuid4()):
        with pytest.raises(SourceGone) as refused:
            await accept(scene.database, NewJob(scene.workspace, [("a", source)], 1, seed=1))
        refusals.append(str(refused.value))

    assert refusals[0] == refusals[1]


async def test_a_job_that_does_not_fit_under_the_cap_is_refused_with_both_figures_and_nothing_is_left(
    scene: Scene,
) -> None:
    new = await request(scene, videos=5, takes=2)
    before = await scene.everything()

    with pytest.raises(StorageFull) as full:
        await accept(scene.database, new, cap=USED + 10 * ESTIMATE - 1)

    assert (full.value.needed, full.value.free) == (10 * ESTIMATE, 10 * ESTIMATE - 1)
    assert await scene.everything() == before


async def test_a_job_that_just_fits_is_accepted(scene: Scene) -> None:
    new = await request(scene, videos=5, takes=2)

    await accept(scene.database, new, cap=USED + 10 * ESTIMATE)

    assert await used(scene) == USED + 10 * ESTIMATE


async def test_nothing_is_free_rather_than_less_than_nothing(scene: Scene) -> None:
    new = await request(scene)

    with pytest.raises(StorageFull) as full:
        await accept(scene.database, new, cap=1)

    assert full.value.free == 0


async def test_the_cap_is_for_all_workspaces_together(scene: Scene) -> None:
    await scene.job(takes=2, workspace=await ensure_workspace(scene.database, "others"))
    new = await request(scene, takes=2)

    with pytest.raises(StorageFull):
        await accept(scene.database, new, cap=2 * SIZE + 4 * ESTIMATE - 1)


async def test_of_several_admissions_at_once_only_those_that_fit_together_are_accepted(scene: Scene) -> None:
    new = [await request(scene, takes=2) for _ in range(5)]

    ended = await asyncio.gather(
        *(accept(scene.database, one, cap=USED + 3 * 2 * ESTIMATE) for one in new), return_exceptions=True
    )

    assert sum(isinstance(result, StorageFull) for result in ended) == 2
    assert await used(scene) == USED + 3 * 2 * ESTIMATE


async def test_a_key_that_was_used_tells_the_request_and_its_answer(scene: Scene) -> None:
    await accept(scene.database, await request(scene), key=await owner(scene))

    again = await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING)

    assert again == Answered("fingerprint", {"jobId": "1"})


async def test_a_key_in_flight_is_told_apart(scene: Scene) -> None:
    await owner(scene)

    assert await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING) is False


async def test_the_same_key_in_another_workspace_is_another_key(scene: Scene) -> None:
    await accept(scene.database, await request(scene), key=await owner(scene))
    others = await ensure_workspace(scene.database, "others")

    assert await take_key(scene.database, others, "key", uuid4(), TIMING) is True


async def test_of_many_requests_with_one_key_at_once_one_gets_it(scene: Scene) -> None:
    taken = await asyncio.gather(
        *(take_key(scene.database, scene.workspace, "key", uuid4(), TIMING) for _ in range(8)),
    )

    assert sorted(taken, key=bool) == [False] * 7 + [True]


async def test_a_key_that_lapsed_is_taken_over_and_its_first_owner_accepts_nothing(scene: Scene) -> None:
    first, new = await owner(scene), await request(scene)
    await lapse(scene)
    second = await owner(scene)
    before = await scene.everything()

    with pytest.raises(KeyLost):
        await accept(scene.database, new, key=first)

    assert await scene.everything() == before
    assert await renew_key(scene.database, scene.workspace, "key", first.owner, TIMING) is False
    assert len(await accept(scene.database, new, key=second)) == 1


async def test_a_key_that_lapsed_and_that_nobody_took_over_still_accepts(scene: Scene) -> None:
    mine, new = await owner(scene), await request(scene)
    await lapse(scene)

    assert len(await accept(scene.database, new, key=mine)) == 1


async def test_a_key_that_is_renewed_is_not_taken_over(scene: Scene) -> None:
    mine = await owner(scene)
    await lapse(scene)

    renewed = await renew_key(scene.database, scene.workspace, "key", mine.owner, TIMING)

    assert renewed is True
    assert await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING) is False


async def test_a_key_accepts_once_and_is_never_taken_over_after_it(scene: Scene) -> None:
    mine = await owner(scene)
    await accept(scene.database, await request(scene), key=mine)
    again = await request(scene)
    await lapse(scene)

    with pytest.raises(KeyLost):
        await accept(scene.database, again, key=mine)

    assert isinstance(await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING), Answered)


async def test_a_request_that_is_refused_leaves_its_key_unanswered(scene: Scene) -> None:
    mine, new = await owner(scene), await request(scene)

    with pytest.raises(StorageFull):
        await accept(scene.database, new, cap=1, key=mine)

    assert await scene.sql("SELECT answer FROM idempotency") == [{"answer": None}]


async def test_who_asks_for_a_key_while_its_accept_commits_waits_and_gets_the_answer(scene: Scene) -> None:
    """The admission lock holds the accept between its key and its commit."""
    mine, new = await owner(scene), await request(scene)
    await lapse(scene)

    async with scene.database.transaction() as holding:
        await holding.execute("SELECT pg_advisory_xact_lock(2, 0)")
        accepting = asyncio.create_task(accept(scene.database, new, cap=10**9, key=mine))
        await eventually(lambda: scene.waiting(1))
        asking = asyncio.create_task(take_key(scene.database, scene.workspace, "key", uuid4(), TIMING))
        await eventually(lambda: scene.waiting(2))

    assert len(await accepting) == 1
    assert await asking == Answered("fingerprint", {"jobId": "1"})


async def test_a_key_is_forgotten_after_a_day_but_not_while_its_request_is_in_flight(scene: Scene) -> None:
    await accept(scene.database, await request(scene), key=await owner(scene))
    await owner(scene, "in flight")
    await scene.sql("UPDATE idempotency SET created_at = now() - interval '23 hours 59 minutes'")
    remembered = await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING)
    await scene.sql("UPDATE idempotency SET created_at = now() - interval '24 hours'")
    await scene.sql("UPDATE idempotency SET lease_until = now() - interval '1 s' WHERE key = 'key'")

    forgotten = await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING)

    assert isinstance(remembered, Answered)
    assert forgotten is True
    assert await take_key(scene.database, scene.workspace, "in flight", uuid4(), TIMING) is False


async def test_a_key_is_given_back_by_its_owner_alone_and_never_once_it_is_answered(scene: Scene) -> None:
    mine = await owner(scene)
    await free_key(scene.database, scene.workspace, "key", uuid4())
    kept = await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING)
    await free_key(scene.database, scene.workspace, "key", mine.owner)
    again = await owner(scene)
    await accept(scene.database, await request(scene), key=again)

    await free_key(scene.database, scene.workspace, "key", again.owner)

    assert kept is False
    assert isinstance(await take_key(scene.database, scene.workspace, "key", uuid4(), TIMING), Answered)
