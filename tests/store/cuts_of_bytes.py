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
        "room: evictions count one after another",
        "eviction.py",
        "            await lock_admission(move.connection)\n",
        "",
        "test_eviction.py::test_of_two_who_make_room_at_once_the_second_finds_enough",
        ">       assert (await first, await second)",
    ),
]
