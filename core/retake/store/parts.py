"""Parts as workers see them: claim, store, commit, release. Rule numbers as in docs/architecture.md."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from retake.domain.errors import Failure
from retake.domain.states import PartState, State, VariationState, Wish, requeued
from retake.domain.timing import Timing
from retake.domain.work import Claim, PartKind, Plan, Rendered, slices
from retake.store.connect import Database
from retake.store.move import LeaseLost, Move, moving_part


async def claim(database: Database, part: int, worker: str, recipe_version: int, timing: Timing) -> Claim | None:
    """Rule 4. None when the part is not to be had; the caller acknowledges the message either way.

    1. Lock the job. 2. Queued, wanted, due and understood -> running under a number that was never used.
    """
    try:
        async with moving_part(database, part) as move:
            if move.job.wish is not Wish.RUN:
                return None
            rows = await move.connection.execute(
                """
                UPDATE part SET state = 'running', claim = nextval('claims'), worker = %(worker)s,
                    lease_until = now() + %(lease)s, announced_at = NULL, frames = '{}'
                WHERE id = %(part)s AND state = 'queued' AND not_before <= now() AND recipe_version <= %(version)s
                RETURNING claim, kind, video_id, failures,
                    (SELECT video.state FROM video WHERE video.id = video_id) AS video_state,
                    (SELECT traceparent FROM job WHERE job.id = job_id)
                """,
                {"part": part, "worker": worker, "version": recipe_version, "lease": timedelta(seconds=timing.lease)},
            )
            row = await rows.fetchone()
            if row is None:
                return None
            if not row["video_state"] == move.job.state == State.PROCESSING:
                move.touch(row["video_id"])
            move.note(
                "part claimed", video=str(row["video_id"]), part=part, claim=row["claim"], kind=row["kind"],
                worker=worker, failures=row["failures"],
            )  # fmt: skip
            return Claim(
                part, row["claim"], PartKind(row["kind"]), move.job.id, row["video_id"], row["failures"],
                row["traceparent"],
            )  # fmt: skip
    except LeaseLost:
        return None


async def name_take(database: Database, claimed: Claim, index: int) -> None:
    """Rule 8: a part that was lost once renders take by take, and says which before each: a loss names the culprit."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            "UPDATE part SET trying_index = %s WHERE id = %s AND claim = %s AND state = 'running'",
            (index, claimed.part, claimed.number),
        )
        if rows.rowcount == 0:
            raise LeaseLost


async def tell_distinct(database: Database, claimed: Claim, distinct: Mapping[str, Any]) -> None:
    """What was measured takes the place of what was planned; every part of a video measures the same."""
    async with database.transaction() as connection:
        rows = await connection.execute(
            """
            UPDATE video v SET distinctness = %s FROM part p
            WHERE p.id = %s AND p.claim = %s AND p.state = 'running' AND v.id = p.video_id
            """,
            (Jsonb(distinct), claimed.part, claimed.number),
        )
        if rows.rowcount == 0:
            raise LeaseLost


async def finish_variation(database: Database, claimed: Claim, rendered: Rendered, timing: Timing) -> bool:
    """Rule 6: one take, committed on its own. False when it is not wanted any more; its object is then an orphan."""
    async with moving_part(database, claimed.part) as move:
        await _fence(move, claimed, timing)
        rows = await move.connection.execute(
            """
            UPDATE variation v SET state = 'completed', reserved = 0, claim = %(claim)s, key = %(key)s, size = %(size)s,
                crc32 = %(crc32)s, sha256 = %(sha256)s, duration = %(duration)s, distance = %(distance)s,
                thumb_key = %(thumb_key)s, engine = %(engine)s
            FROM variation before
            WHERE v.video_id = %(video)s AND v.index = %(index)s AND v.state = 'queued'
                AND before.video_id = v.video_id AND before.index = v.index
            RETURNING before.reserved
            """,
            {
                **rendered.__dict__,
                "distance": None if rendered.distance is None else Jsonb(rendered.distance),
                "claim": claimed.number,
                "video": claimed.video,
            },
        )
        row = await rows.fetchone()
        if row is None:
            return False
        move.charge(rendered.size - row["reserved"])
        move.advance(claimed.video)
        move.tell("variation", videoId=str(claimed.video), index=rendered.index, status=VariationState.COMPLETED)
        return True


async def fail_variation(database: Database, claimed: Claim, index: int, failure: Failure, timing: Timing) -> bool:
    """Rule 9: this take will not come out, and says why; the others go on."""
    async with moving_part(database, claimed.part) as move:
        await _fence(move, claimed, timing)
        failed = await fail_queued(move, claimed.part, [index], failure)
        return failed == 1


async def fail_queued(move: Move, part: int, indices: list[int], failure: Failure) -> int:
    """Fails those of a part's takes that are still queued; returns how many."""
    rows = await move.connection.execute(
        """
        UPDATE variation v SET state = 'failed', reserved = 0, error_code = %s, error = %s
        FROM part p, variation before
        WHERE p.id = %s AND v.video_id = p.video_id AND v.index = ANY(%s) AND v.state = 'queued'
            AND before.video_id = v.video_id AND before.index = v.index
        RETURNING v.video_id, v.index, before.reserved
        """,
        (failure.code, failure.sentence, part, indices),
    )
    failed = await rows.fetchall()
    for row in failed:
        move.charge(-row["reserved"])
        move.advance(row["video_id"])
        move.tell(
            "variation", videoId=str(row["video_id"]), index=row["index"], status=VariationState.FAILED,
            code=failure.code, error=failure.sentence,
        )  # fmt: skip
    return len(failed)


async def finish_part(database: Database, claimed: Claim, timing: Timing) -> None:
    """Rule 7, render: nothing of this part is left to do."""
    async with moving_part(database, claimed.part) as move:
        await _fence(move, claimed, timing)
        rows = await move.connection.execute(
            """
            SELECT v.index FROM part p JOIN variation v ON v.video_id = p.video_id AND v.index = ANY(p.indices)
            WHERE p.id = %s AND v.state = 'queued'
            """,
            (claimed.part,),
        )
        assert not await rows.fetchall(), "a part is finished only when none of its takes is queued"
        await _end(move, claimed)


async def finish_inspect(database: Database, claimed: Claim, plan: Plan, recipe_version: int, timing: Timing) -> None:
    """Rule 7, inspect: the probe, the plan and the render parts it needs.

    1. The source, locked before the part as rule 0 wants it. 2. Fence. 3. The estimate of accept is replaced by the
    plan's. 4. Under a wish to cancel or expire what would be queued is cancelled instead. 5. The inspect part is done.
    """
    async with moving_part(database, claimed.part) as move:
        await move.connection.execute(
            "UPDATE source SET sha256 = %s WHERE id = (SELECT source_id FROM video WHERE id = %s)",
            (plan.sha256, claimed.video),
        )
        await _fence(move, claimed, timing)
        to = requeued(move.job.wish)
        queued = to is PartState.QUEUED
        rows = await move.connection.execute(
            """
            UPDATE video v SET probe = %s, thumb_key = %s, cost = %s, distinctness = %s, reserved = 0
            FROM video before WHERE v.id = %s AND before.id = v.id RETURNING before.reserved
            """,
            (
                Jsonb(plan.probe),
                plan.thumb_key,
                sum(take.cost for take in plan.variations),
                None if plan.distinct is None else Jsonb(plan.distinct),
                claimed.video,
            ),
        )
        video = await rows.fetchone()
        assert video is not None
        move.charge(-video["reserved"])
        for variation in plan.variations:
            reserve = variation.reserve if queued else 0
            await move.connection.execute(
                "INSERT INTO variation (video_id, index, recipe, state, reserved) VALUES (%s, %s, %s, %s, %s)",
                (claimed.video, variation.index, Jsonb(variation.recipe), VariationState(to.value), reserve),
            )
            move.charge(reserve)
        for indices in slices(plan.variations):
            await move.connection.execute(
                """
                INSERT INTO part (job_id, video_id, kind, indices, state, recipe_version)
                VALUES (%s, %s, 'render', %s, %s, %s)
                """,
                (move.job.id, claimed.video, indices, to, recipe_version),
            )
        await _end(move, claimed)


async def fail_inspect(database: Database, claimed: Claim, failure: Failure, timing: Timing) -> None:
    """Rule 9: the video is no use, and says why; the job's other videos go on."""
    async with moving_part(database, claimed.part) as move:
        await _fence(move, claimed, timing)
        await fail_video(move, claimed.part, failure)
        await _end(move, claimed)


async def fail_video(move: Move, part: int, failure: Failure) -> None:
    """The error of a video that never got takes; what was promised for them is free again."""
    rows = await move.connection.execute(
        """
        UPDATE video v SET error_code = %s, error = %s, reserved = 0 FROM video before
        WHERE v.id = (SELECT video_id FROM part WHERE id = %s) AND before.id = v.id RETURNING before.reserved
        """,
        (failure.code, failure.sentence, part),
    )
    row = await rows.fetchone()
    assert row is not None
    move.charge(-row["reserved"])


async def release(database: Database, claimed: Claim, timing: Timing, *, blocked: bool) -> None:
    """Rule 9: given back. `blocked` means that something around us failed: then it waits, longer each time.

    Every entry into queued starts a new generation, unannounced; under cancel or expire it goes to cancelled.
    """
    async with moving_part(database, claimed.part) as move:
        rows = await move.connection.execute(
            """
            UPDATE part SET state = %(to)s, claim = NULL, worker = NULL, lease_until = NULL, trying_index = NULL,
                frames = '{}', generation = generation + 1, announcements = 0, announced_at = NULL,
                releases = releases + %(blocked)s,
                not_before = now() + %(blocked)s * least(%(first)s * power(2, least(releases, 20)), %(most)s)
            WHERE id = %(part)s AND claim = %(claim)s AND state = 'running'
            """,
            {
                "to": requeued(move.job.wish),
                "blocked": int(blocked),
                "first": timedelta(seconds=timing.retry_first),
                "most": timedelta(seconds=timing.retry_most),
                "part": claimed.part,
                "claim": claimed.number,
            },
        )
        if rows.rowcount == 0:
            raise LeaseLost
        move.touch(claimed.video)


async def _fence(move: Move, claimed: Claim, timing: Timing) -> None:
    """Rule 6: is the part still ours? Renews the lease on the way; the take that was tried has its answer."""
    rows = await move.connection.execute(
        """
        UPDATE part SET lease_until = now() + %s, trying_index = NULL
        WHERE id = %s AND claim = %s AND state = 'running'
        """,
        (timedelta(seconds=timing.lease), claimed.part, claimed.number),
    )
    if rows.rowcount == 0:
        raise LeaseLost


async def _end(move: Move, claimed: Claim) -> None:
    await move.connection.execute(
        """
        UPDATE part SET state = 'done', claim = NULL, worker = NULL, lease_until = NULL, trying_index = NULL,
            frames = '{}'
        WHERE id = %s
        """,
        (claimed.part,),
    )
    move.touch(claimed.video)
