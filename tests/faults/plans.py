"""What a round will do, drawn from its seed alone. How it interleaves is not drawn, which is the point of doing it."""

from dataclasses import dataclass
from random import Random

from faults.faults import FAULTS, ORDERED
from faults.jobs import clip

_WISHES = ("none", "none", "none", "none", "pause", "cancel", "retry")
_SIZES = (1, 2_000, 70_000, 200_000)


@dataclass(frozen=True)
class JobPlan:
    workspace: int
    videos: list[bytes]
    takes: int
    after: float
    wish: str  # of the person: none, pause and resume, cancel, or retry of what was cancelled
    wish_after: float


@dataclass(frozen=True)
class FaultPlan:
    name: str
    after: float
    seed: int


@dataclass(frozen=True)
class Plan:
    seed: int
    jobs: list[JobPlan]
    faults: list[FaultPlan]

    @classmethod
    def of(cls, seed: int) -> "Plan":
        """The first fault goes round with the seed: in a row of seeds each has its turn."""
        rng, names = Random(seed), list(FAULTS)
        chosen = [names[seed % len(names)], *rng.sample(names, rng.choice([0, 0, 1, 1, 2]))]
        faults = [FaultPlan(name, rng.choice([0, rng.uniform(0, 0.8)]), rng.getrandbits(32)) for name in chosen]
        return cls(seed, [_job(rng) for _ in range(rng.randint(2, 4))], faults)

    @classmethod
    def of_one(cls, name: str) -> "Plan":
        """Two small jobs and one fault, soon."""
        rng = Random(name)
        fault = FaultPlan(name, 0 if name in ORDERED else rng.uniform(0.1, 0.3), rng.getrandbits(32))
        return cls(0, [_job(rng, videos=1, takes=2) for _ in range(2)], [fault])

    def __str__(self) -> str:
        jobs = [f"{len(job.videos)} x {job.takes} takes ({job.wish})" for job in self.jobs]
        return f"seed {self.seed}: {', '.join(fault.name for fault in self.faults)}; jobs {', '.join(jobs)}"


def _job(rng: Random, videos: int = 3, takes: int = 4) -> JobPlan:
    return JobPlan(
        workspace=rng.randrange(2),
        videos=[clip(rng.randbytes(rng.choice(_SIZES))) for _ in range(rng.randint(1, videos))],
        takes=rng.randint(1, takes),
        after=rng.uniform(0, 0.3),
        wish=rng.choice(_WISHES),
        wish_after=rng.uniform(0, 0.6),
    )
