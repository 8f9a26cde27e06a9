"""The guards of bytes that may go, as cuts.py has those of the dispatch."""

from store.cuts import Cut

CUTS_OF_BYTES = [
    Cut(
        "i: nothing is evicted under a download's lease",
        "eviction.py",
        "WHERE id = %s AND ended_at IS NOT NULL AND wish <> 'expire' AND NOT kept AND NOT being_downloaded(id)",
        "WHERE id = %s AND ended_at IS NOT NULL AND wish <> 'expire' AND NOT kept",
        "test_eviction.py::test_a_job_that_is_needed_again_before_it_is_taken_stays[download]",
        ">       assert await evicting is Outcome.STAYS",
    ),
    Cut(
        "j: an orphan's age counts from when it was first seen",
        "orphans.py",
        "WHERE first_seen <= now() - %s",
        "WHERE (first_seen <= now() - %s OR true)",
        "../janitor/test_orphan_objects.py::test_orphans_go_two_hours_after_they_were_first_seen_and_not_before",
        ">       assert (first, second, third) == (0, 0, 4)",
    ),
    Cut(
        "j: a take whose claim runs is no orphan",
        "orphans.py",
        "WHERE NOT EXISTS (SELECT FROM part WHERE part.claim = found.claim)\n                AND NOT EXISTS",
        "WHERE NOT EXISTS",
        "../janitor/test_orphan_objects.py::test_a_take_that_is_stored_and_not_committed_is_no_orphan_while_its_claim_runs",
        ">       assert running == []",
    ),
    Cut(
        "n: the sweep of what was abandoned looks again under its locks",
        "uploads.py",
        "return [] if await rows.fetchone() is None else await _end(connection, source)",
        "return await _end(connection, source)",
        "test_abandoned.py::test_a_sweep_waits_for_an_accept_and_then_leaves_its_upload",
        ">       assert await sweeping == []",
    ),
    Cut(
        "rule 1: a commit that may still come is waited for",
        "sources.py",
        "WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
        "WHERE id = ANY(%s) ORDER BY id",
        "../api/test_lost_commits.py::test_a_form_whose_commit_is_late_is_answered_when_it_has_come",
        ">       assert answer.status_code == 202",
    ),
    Cut(
        "upload: the offset is moved by the writer that came last",
        "uploads.py",
        "WHERE id = %(id)s AND state = 'open' AND writer = %(writer)s AND received",
        "WHERE id = %(id)s AND state = 'open' AND received",
        "test_uploads.py::test_a_writer_that_another_followed_stores_nothing_any_more",
        "DID NOT RAISE OffsetMoved",
    ),
    Cut(
        "upload: the offset is moved from a piece's start",
        "uploads.py",
        "AND writer = %(writer)s AND received = %(start)s",
        "AND writer = %(writer)s",
        "test_uploads.py::test_a_piece_that_begins_elsewhere_than_the_upload_ends_does_not_count[again]",
        "DID NOT RAISE OffsetMoved",
    ),
    Cut(
        "upload: whoever continues stands where it ends",
        "uploads.py",
        "AND u.state = 'open' AND u.received = %s AND s.touched_at",
        "AND u.state = 'open' AND (u.received = %s OR true) AND s.touched_at",
        "test_uploads.py::test_nobody_continues_at_another_offset[11]",
        "DID NOT RAISE OffsetMoved",
    ),
    Cut(
        "room: evictions count one after another",
        "eviction.py",
        "            await lock_admission(move.connection)\n",
        "",
        "test_eviction.py::test_of_two_who_make_room_at_once_the_second_finds_enough",
        ">       assert (await first, await second)",
    ),
]
