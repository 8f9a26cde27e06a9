"""The guards of the protocol as they stand in the code, each with the test that fails without it (docs/states.md).

`old` occurs exactly once in its file; `says` is the line of the test that fails, or what pytest says instead of one.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    guard: str
    file: str
    old: str
    new: str
    test: str
    says: str


CUTS = [
    Cut(
        "a: a commit is fenced by the claim",
        "parts.py",
        "trying_index = NULL\n        WHERE id = %s AND claim = %s AND",
        "trying_index = NULL\n        WHERE id = %s AND (claim = %s OR true) AND",
        "test_fence.py::test_a_render_part_that_was_lost_is_written_by_nobody_who_held_it[claimed_by_another]",
        "DID NOT RAISE LeaseLost",
    ),
    Cut(
        "a: a release is fenced by the claim",
        "parts.py",
        "WHERE id = %(part)s AND claim = %(claim)s AND state = 'running'",
        "WHERE id = %(part)s AND state = 'running'",
        "test_fence.py::test_a_render_part_that_was_lost_is_written_by_nobody_who_held_it[claimed_by_another]",
        "DID NOT RAISE LeaseLost",
    ),
    Cut(
        "c: what nobody claims is announced again",
        "announcements.py",
        "WHERE state = 'queued' AND announced_at < now() - CASE",
        "WHERE false AND announced_at < now() - CASE",
        "test_announcements.py::test_a_part_nobody_claimed_in_time_is_announced_again_in_a_new_generation",
        ">       (second,) = await announce(scene)",
    ),
    Cut(
        "d: a release is a new generation",
        "parts.py",
        "frames = '{}', generation = generation + 1,",
        "frames = '{}',",
        "test_claims.py::test_running_to_queued_by_release_of_a_worker_that_drains",
        '>       assert (after["generation"], after["releases"], after["failures"])',
    ),
    Cut(
        "d: a reap is a new generation",
        "reaping.py",
        "generation = part.generation + 1,",
        "",
        "test_reaping.py::test_running_to_queued_by_reap_and_the_loss_is_told",
        '>       assert (after["failures"], after["generation"])',
    ),
    Cut(
        "d: a retry is a new generation",
        "retrying.py",
        "generation = generation + 1,",
        "",
        "test_retry.py::test_done_to_queued_by_retry_of_an_inspect_that_failed",
        '>       assert part["generation"] == before["generation"] + 1',
    ),
    Cut(
        "d: a resume is a new generation",
        "jobs.py",
        "SET generation = generation + 1,",
        "SET",
        "test_wishes.py::test_resume_announces_anew_what_waits",
        '>       assert all(new["generation"] > old["generation"]',
    ),
    Cut(
        "d: an announcement in vain is a new generation",
        "announcements.py",
        "SET generation = generation + 1,",
        "SET",
        "test_announcements.py::test_a_part_nobody_claimed_in_time_is_announced_again_in_a_new_generation",
        ">       assert (second.part, second.generation)",
    ),
    Cut(
        "d: a mark is for its generation only",
        "announcements.py",
        "state = 'queued' AND generation = %s",
        "state = 'queued' AND generation >= %s",
        "test_announcements.py::test_a_part_that_moved_on_before_it_was_marked_is_not_marked",
        ">       assert (while_running, in_the_next_generation) == (False, False)",
    ),
    Cut(
        "e: cancel reaches queued parts",
        "jobs.py",
        "SET state = 'cancelled', announced_at = NULL WHERE job_id = %s AND state = 'queued'",
        "SET state = 'cancelled', announced_at = NULL WHERE job_id = %s AND state = 'never'",
        "test_wishes.py::test_cancel_and_expire_reach_everything_that_waits_at_once[cancel-cancelled]",
        ">       assert ended == [state, state]",
    ),
    Cut(
        "e: cancel reaches queued variations",
        "jobs.py",
        "v.video_id = video.id AND v.state = 'queued'",
        "v.video_id = video.id AND v.state = 'never'",
        "test_wishes.py::test_cancel_and_expire_reach_everything_that_waits_at_once[cancel-cancelled]",
        ">       assert ended == [state, state]",
    ),
    Cut(
        "f: a release under cancel goes to cancelled",
        "parts.py",
        '"to": requeued(move.job.wish)',
        '"to": PartState.QUEUED',
        "test_claims.py::test_running_to_cancelled_by_release[cancel-None]",
        ">       assert await scene.states(job) == (ended,",
    ),
    Cut(
        "f: a reap under cancel goes to cancelled",
        "reaping.py",
        '"to": requeued(move.job.wish)',
        '"to": "queued"',
        "test_reaping.py::test_running_to_cancelled_by_reap[cancel-None]",
        ">       assert await scene.states(inspecting) == (ended,",
    ),
    Cut(
        "f: parts planned under cancel are born cancelled",
        "parts.py",
        "(move.job.id, claimed.video, indices, to, recipe_version)",
        "(move.job.id, claimed.video, indices, PartState.QUEUED, recipe_version)",
        "test_parts.py::test_what_inspect_plans_is_born_cancelled[cancel-None]",
        ">       assert await scene.states(job) == (ended,",
    ),
    Cut(
        "f: variations planned under cancel are born cancelled",
        "parts.py",
        "VariationState(to.value), reserve)",
        "VariationState.QUEUED, reserve)",
        "test_parts.py::test_what_inspect_plans_is_born_cancelled[cancel-None]",
        ">       assert await scene.states(job) == (ended,",
    ),
    Cut(
        "g: who moves a part holds its job's row",
        "move.py",
        "WHERE id = (SELECT job_id FROM part WHERE id = %s) FOR NO KEY UPDATE",
        "WHERE id = (SELECT job_id FROM part WHERE id = %s)",
        "test_races.py::test_of_two_last_finishers_the_second_ends_the_job",
        ">       assert (await scene.states(job))[:2] ==",
    ),
    Cut(
        "g: who moves a job holds its row",
        "move.py",
        "FROM job WHERE id = %s FOR NO KEY UPDATE",
        "FROM job WHERE id = %s",
        "test_races.py::test_of_two_equal_wishes_at_once_the_second_is_refused",
        ">       assert isinstance(second, WishRefused)",
    ),
    Cut(
        "h: the reaper looks at state and lease again",
        "reaping.py",
        "AND part.state = 'running'\n                    AND part.lease_until < now() AND EXISTS",
        "AND EXISTS",
        "test_reaping.py::test_a_worker_that_comes_back_before_the_reaper_writes_keeps_its_part",
        ">       assert (await reaping).parts == 0",
    ),
    Cut(
        "k: nobody is reaped right after Postgres started",
        "reaping.py",
        "ELSE greatest(quiet_until, least(pg_postmaster_start_time() + %(lease)s, now() + %(lease)s)) END",
        "ELSE quiet_until END",
        "test_reaping.py::test_a_pass_soon_after_postgres_started_keeps_quiet",
        ">       assert reaped == Reaped(quiet=True, parts=0)",
    ),
    Cut(
        "k: nobody is reaped right after the reaper stalled",
        "reaping.py",
        "WHEN passed_at < now() - %(stall)s THEN",
        "WHEN false THEN",
        "test_reaping.py::test_a_pass_after_a_stall_keeps_quiet_for_a_lease",
        ">       assert passes == [Reaped(quiet=True, parts=0)] * 2",
    ),
    Cut(
        "k: the quiet is asked for again by who reaps",
        "reaping.py",
        "AND quiet_until <= now()",
        "",
        "test_reaping.py::test_a_list_from_before_an_outage_is_not_worked_off_after_it",
        ">       assert (await reaping).parts == 0",
    ),
    Cut(
        "l: a variation is completed only from queued",
        "parts.py",
        "v.index = %(index)s AND v.state = 'queued'",
        "v.index = %(index)s",
        "test_parts.py::test_a_variation_moves_only_from_queued[completed]",
        ">       assert (completed, failed) == (False, False)",
    ),
    Cut(
        "l: a variation is failed only from queued",
        "parts.py",
        "v.index = ANY(%s) AND v.state = 'queued'\n            AND before",
        "v.index = ANY(%s)\n            AND before",
        "test_parts.py::test_a_variation_moves_only_from_queued[cancelled]",
        ">       assert (completed, failed) == (False, False)",
    ),
    Cut(
        "m: accept compares the owner of the key",
        "jobs.py",
        "AND owner = %s AND answer IS NULL",
        "AND (owner = %s OR true) AND answer IS NULL",
        "test_accept.py::test_a_key_that_lapsed_is_taken_over_and_its_first_owner_accepts_nothing",
        "DID NOT RAISE KeyLost",
    ),
    Cut(
        "n: accept and retry share the source's lock",
        "sources.py",
        "ORDER BY id FOR SHARE",
        "ORDER BY id",
        "test_sources.py::test_a_source_that_an_accept_holds_is_not_swept",
        ">       assert not swept",
    ),
    Cut(
        "n: the sweep looks for needs in a new statement",
        "sources.py",
        "AND state = 'ready' AND NOT source_needed(id)",
        "AND state = 'ready'",
        "test_sources.py::test_a_need_that_was_committed_between_the_sweep_s_look_and_its_lock_is_seen",
        ">       assert await sweeping == []",
    ),
    Cut(
        "rule 0: events are told one transaction after another",
        "move.py",
        "SELECT pg_advisory_xact_lock(1, number) FROM workspace",
        "SELECT FROM workspace",
        "test_races.py::test_no_event_is_seen_before_one_with_a_smaller_id_of_its_workspace",
        ">       assert meanwhile == []",
    ),
    Cut(
        "rule 8: a take that was tried has its answer",
        "parts.py",
        "SET lease_until = now() + %s, trying_index = NULL",
        "SET lease_until = now() + %s",
        "test_fence.py::test_a_write_renews_the_lease_and_answers_for_the_take_that_was_tried[finish_variation]",
        '>       assert row == {"lives": True, "trying_index": None}',
    ),
]
