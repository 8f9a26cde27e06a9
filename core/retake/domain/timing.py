"""Every lease and timer of the protocol, in seconds, in one place."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Timing:
    lease: float = 60  # how long a claim lives without a heartbeat
    heartbeat: float = 10  # between heartbeats while nothing moves
    progress: float = 2  # between heartbeats while frames move
    announce_poll: float = 1  # the relay looks this often when nobody wakes it
    duty: float = 10  # how long a duty row is held without being renewed
    reap_every: float = 5
    reap_stall: float = 15  # a reap pass that finds the last one older than this reaps nothing for one lease
    reannounce_first: float = 5  # an announced part is announced again after this, while a slot is idle; doubles
    reannounce_most: float = 600
    retry_first: float = 5  # not_before after a release or a reap; doubles
    retry_most: float = 300
    ack_wait: float = 30  # the broker delivers again after this without an ack
    key_lease: float = 60  # how long an idempotency key is held without bytes
    touch: float = 60  # while bytes of an upload come, its rows are touched this often
    worker_alive: float = 30  # a worker that was not seen for this long is not counted
    orphan: float = 7200  # an object without a row is deleted so long after it was first seen
    download: float = 60  # how long a download holds its job's bytes without sending any
    download_most: float = 21600  # and how long at all

    @classmethod
    def scaled(cls, factor: float) -> "Timing":
        """The same protocol at another speed, ratios unchanged: how fault campaigns fit many rounds into minutes."""
        return cls(**{name: seconds * factor for name, seconds in asdict(cls()).items()})
