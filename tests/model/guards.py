"""The guards of the protocol, each of which can be taken away, and the laws that then break.

Where one guard stands in several places, each place can be taken away alone: (e), (f), (i) and (n) have more than one.
"""

from enum import StrEnum


class Guard(StrEnum):
    FENCE = "a: commit is fenced by the claim"
    SCOPED_KEY = "b: object keys carry the claim"
    TIMER = "c: an announced part is announced again after a while"
    GENERATION = "d: every entry into queued, and resume, is a new generation"
    CANCEL_PARTS = "e: cancel reaches queued parts in the same transaction"
    CANCEL_VARIATIONS = "e: cancel reaches queued variations in the same transaction"
    RELEASE = "f: a release under cancel goes to cancelled"
    REAP = "f: a reap under cancel goes to cancelled"
    INSPECT_PARTS = "f: parts planned under cancel are born cancelled"
    INSPECT_VARIATIONS = "f: variations planned under cancel are born cancelled"
    JOB_LOCK = "g: who rolls up holds the job row's lock"
    RECHECK = "h: the reaper checks state and lease again when it writes"
    FORGET = "rule 8: the named take is forgotten at every claim and commit"
    DOWNLOAD_LEASE = "i: nothing is deleted under a download's lease"
    DOWNLOAD_LOCK = "i: the lease is taken under the job row's lock, of a job that is not expired"
    FIRST_SEEN = "j: an orphan's age counts from when it was first seen"
    GRACE = "k: nobody is reaped right after the database started"
    GRACE_AT_WRITE = "k: the grace is asked for again in the transaction that reaps"
    GIVE_BACK = "rule 9: who stopped by itself gives its part back when Postgres answers"
    ONLY_QUEUED = "l: a variation moves only from queued"
    OWNER = "m: accept compares the idempotency key's owner"
    REREAD = "rule 1: after a doubtful COMMIT nothing is deleted before the row is read again"
    REREAD_LOCK = "rule 1: that reading waits for the row's lock"
    SOURCE_LOCK = "n: accept and retry share the source's lock, the sweep holds it alone"
    NEW_STATEMENT = "n: the sweep looks for needs in a new statement after its lock"


class Law(StrEnum):
    ENDS = "I1 everything accepted ends in an ended state"
    ALL_ENDED = "I1 an ended job has no unfinished variation"
    NOT_LOST = "I1 nothing accepted is lost: bytes stay while a row needs them"
    ENDED_STAYS = "I2 what has ended changes only by retry or expiry"
    ONE_CLAIM = "I3 a completed variation's object is its own claim's"
    LOST_CLAIM = "I4 nothing written under a lost claim is visible"
    ATTEMPTS = "I5 an attempt is spent only on a lost worker, and never more than the limit"
    NO_ORPHAN = "I6 no orphan object stays"
    NO_HOLE = "I7 no completed row without its object"
    WHOLE_DOWNLOAD = "I8 eviction never truncates a download"
    COMPUTED = "I10 stored states are those the state page computes"
    LEGAL = "I10 only steps of the state page are taken"
    NOTHING_NEW = "I11 nothing starts unless the wish is run"
    ONE_JOB = "I12 one Idempotency-Key, one job"
    NOT_CANCELLING = "I13 nothing stays cancelling"
    EMPTY_STREAM = "I13 the stream is empty at rest"
